"""What is done again and again: one duty that fails keeps no other from its work."""

import asyncio

from postroad.obs.duties import repeat
from postroad.testing.clock import ManualClock, turns


def test_each_has_its_turn_in_each_round_whatever_fails() -> None:
    done: list[str] = []

    async def broken() -> None:
        done.append("broken")
        raise RuntimeError("a bug")

    async def sound() -> None:
        done.append("sound")

    async def scene() -> None:
        clock = ManualClock()
        task = asyncio.create_task(repeat(clock, 900, (broken, sound), failed="test.failed"))
        await turns()
        assert done == []
        for _ in range(2):
            await clock.advance(900)
            await turns()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scene())
    assert done == ["broken", "sound"] * 2
