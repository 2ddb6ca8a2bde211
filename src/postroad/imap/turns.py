"""Long commands give way: to other sessions, and to the end of their own."""

import asyncio
from typing import Final

from postroad.imap.progress import Progress
from postroad.model.clock import Clock
from postroad.net.connection import Connection

_TURN: Final = 0.005
"""Seconds that a command may keep the loop to itself."""


class Turns:
    """The turns of one command. Ask for the next wherever a piece of work is done."""

    __slots__ = ("_clock", "_conn", "_ends", "progress")

    def __init__(self, conn: Connection, clock: Clock, progress: Progress | None = None) -> None:
        """`progress` is told of between turns, so only where no response is half said."""
        self._conn = conn
        self._clock = clock
        self.progress = progress
        self._ends = clock.monotonic() + _TURN

    @property
    def over(self) -> bool:
        """Whether this turn was long enough, for who does very little at a time; then `give_way`."""
        return self._clock.monotonic() >= self._ends

    async def next(self) -> None:
        """Let others have the loop, if this turn was long enough.

        Raises:
            ConnectionError: the client is gone, and nobody waits for the answer any more.
        """
        if self._clock.monotonic() >= self._ends:
            await self.give_way()

    async def give_way(self) -> None:
        """Let others have the loop now; raises as `next` does."""
        await asyncio.sleep(0)
        if self._conn.closed:
            raise ConnectionError("the client is gone")
        if self.progress is not None:
            self.progress.tell()
        self._ends = self._clock.monotonic() + _TURN
