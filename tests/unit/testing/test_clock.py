"""Time that passes when it is told to."""

import asyncio
from collections.abc import Awaitable, Callable

from postroad.testing.clock import ManualClock


def run(work: Callable[[ManualClock], Awaitable[None]]) -> None:
    async def ran() -> None:
        await work(ManualClock(1_700_000_000.0))

    asyncio.run(ran())


def test_it_stands_still() -> None:
    clock = ManualClock(1_700_000_000.0)
    assert clock.now() == clock.now() == 1_700_000_000.0
    assert clock.monotonic() == 0.0


def test_sleepers_wake_at_their_time_and_in_their_order() -> None:
    async def work(clock: ManualClock) -> None:
        woken: list[tuple[str, float]] = []

        async def sleeper(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append((name, clock.monotonic()))

        tasks = [asyncio.ensure_future(sleeper(name, s)) for name, s in (("c", 30), ("a", 10), ("b", 20))]
        await clock.advance(20)
        assert woken == [("a", 10.0), ("b", 20.0)]
        await clock.advance(9.5)
        assert len(woken) == 2
        await clock.advance(0.5)
        assert woken[2] == ("c", 30.0)
        assert clock.now() == 1_700_000_030.0
        await asyncio.gather(*tasks)

    run(work)


def test_who_sleeps_again_and_again_is_woken_each_time() -> None:
    async def work(clock: ManualClock) -> None:
        at: list[float] = []

        async def ticker() -> None:
            while True:
                await clock.sleep(60)
                at.append(clock.monotonic())

        task = asyncio.ensure_future(ticker())
        await clock.advance(300)
        assert at == [60, 120, 180, 240, 300]
        task.cancel()

    run(work)


def test_who_was_cancelled_is_forgotten() -> None:
    async def work(clock: ManualClock) -> None:
        task = asyncio.ensure_future(clock.sleep(10))
        await clock.advance(1)
        task.cancel()
        await clock.advance(100)
        assert clock.monotonic() == 101.0

    run(work)


def test_no_time_is_no_wait() -> None:
    async def work(clock: ManualClock) -> None:
        await clock.sleep(0)
        await clock.sleep(-1)

    run(work)


def test_between_two_wakings_things_come_to_rest() -> None:
    async def work(clock: ManualClock) -> None:
        seen: list[float] = []

        async def look() -> None:
            await asyncio.sleep(0)
            seen.append(clock.monotonic())

        tasks = [asyncio.ensure_future(clock.sleep(s)) for s in (1, 2)]
        await clock.advance(5, between=look)
        assert seen == [0, 1, 2, 5]
        await asyncio.gather(*tasks)

    run(work)
