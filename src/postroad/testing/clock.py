"""A clock that stands still until it is told to go on."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Final

_TURNS: Final = 20
"""Turns of the loop that woken tasks get to do what needs no I/O."""


async def turns() -> None:
    """Let everything that is ready run."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


class ManualClock:
    """A `model.clock.Clock` for one event loop.

    It begins at the system's time, so that what other processes write beside
    it (the command line) is not in its future.
    """

    def __init__(self, start: float | None = None) -> None:
        """`start` is in seconds since the epoch."""
        self._start = time.time() if start is None else start
        self._passed = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._start + self._passed

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._passed

    async def sleep(self, seconds: float) -> None:
        """Return when the clock has been advanced so far."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._passed + seconds, next(self._numbers), woken))
        await woken

    async def advance(self, seconds: float, between: Callable[[], Awaitable[None]] = turns) -> None:
        """Let time pass: everybody wakes when it is their time, in that order.

        After each waking `between` is awaited, in which what they then do may
        come to rest.
        """
        until = self._passed + seconds
        await between()
        while (due := self._next_waking()) is not None and due <= until:
            self._passed = max(self._passed, due)
            self._wake()
            await between()
        self._passed = until
        await between()

    def _next_waking(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)  # who slept was cancelled
        return self._sleepers[0][0] if self._sleepers else None

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self._passed:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)
