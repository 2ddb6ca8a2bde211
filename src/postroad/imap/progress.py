"""How far a long command has come (RFC 9585)."""

import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.responses import in_progress
from postroad.model.clock import Clock

T = TypeVar("T")
INTERVAL: Final = 10.0
"""Seconds between two words about it, and before the first (RFC 9585 §4)."""


class Progress:
    """Counts what one command has done; says so where it is asked to, no more often than is good.

    A command that comes to its next piece looks at the clock. A timer is for those alone that wait
    for one large piece.
    """

    __slots__ = ("_clock", "_core", "_due", "_flush", "_tag", "done", "goal")

    def __init__(self, core: ImapServerCore, flush: Callable[[], None], clock: Clock, tag: bytes) -> None:
        self._flush = flush
        self._core = core
        self._clock = clock
        self._tag = tag
        # Somebody may not want to hear of it: `model.switches`.
        self._due = math.inf if "INPROGRESS" in core.withheld else clock.monotonic() + INTERVAL
        self.done = 0
        self.goal = 0
        """Messages that there are to be looked at; 0 as long as nobody knows."""

    def reach(self, done: int) -> None:
        """So much is done; say so if it is time."""
        self.done = done
        self.tell()

    async def meanwhile(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for something that is done in one piece, and say in time that it goes on."""
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=INTERVAL))[0]:
                self.tell()
            return task.result()
        finally:
            task.cancel()

    def tell(self) -> None:
        """Say how far it is, if it is time; never in the midst of a response."""
        now = self._clock.monotonic()
        if now < self._due:
            return
        self._due = now + INTERVAL
        self._core.untagged(in_progress(self._tag, self.done, self.goal))
        self._flush()
