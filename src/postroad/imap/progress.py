"""How far a long command has come (RFC 9585)."""

import math
from collections.abc import Callable
from typing import Final

from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.responses import in_progress
from postroad.model.clock import Clock

INTERVAL: Final = 10.0
"""Seconds between two words about it, and before the first (RFC 9585 §4)."""


class Progress:
    """Counts what one command has done; says so where it is asked to, no more often than is good.

    Nothing happens by a timer: a command that does not come to its next piece has nothing to tell.
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

    def tell(self) -> None:
        """Say how far it is, if it is time; never in the midst of a response."""
        now = self._clock.monotonic()
        if now < self._due:
            return
        self._due = now + INTERVAL
        self._core.untagged(in_progress(self._tag, self.done, self.goal))
        self._flush()
