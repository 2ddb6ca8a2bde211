"""The clock of a running server."""

import asyncio
import time


class SystemClock:
    """The operating system's time (see `postroad.model.clock.Clock`)."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
