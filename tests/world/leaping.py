"""A server whose time leaps: nobody waits for its limits."""

import asyncio
from typing import Final, Self

from postroad.config.limits import Limits
from postroad.testing import ThreadedWorld

LIMITS: Final = Limits()


class LeapingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock can be set forward."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


class Leaping(ThreadedWorld):
    """A server in such a loop, with the limits that everybody has."""

    def __init__(self) -> None:
        super().__init__(workers=1, limits=LIMITS, loop_factory=LeapingLoop)

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def leap(self, seconds: float) -> None:
        """Let time pass, after everything that has been sent has been read."""

        async def forward() -> None:
            for _ in range(5):
                await asyncio.sleep(0)
            loop = asyncio.get_running_loop()
            assert isinstance(loop, LeapingLoop)
            loop.ahead += seconds

        self.run(forward())
