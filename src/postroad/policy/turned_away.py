"""Connections that came to no message, in the trail: refused for a limit, or spoken out of turn.

Each has a line in the log at once. The trail gets a row for an address, and no
more than one within an hour, so that strangers cannot fill the disk with it.
"""

import asyncio
from collections import Counter
from typing import Final

from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.model.clock import Clock
from postroad.model.refusal import Unavailable
from postroad.obs.log import log
from postroad.trail import record
from postroad.trail.note import Note

EVERY_SECONDS: Final = 10.0
"""How long it takes until the trail has it."""
QUIET_SECONDS: Final = 3600.0
"""How long nothing more is written of an address."""
MOST: Final = 1000
"""Addresses of which something is written within that time, in each worker."""
REASONS: Final = 5
"""Different reasons that are kept of one address."""


class TurnedAway:
    """What one worker has still to write, and of whom it has written lately."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: dict[str, Counter[str]] = {}
        self._written: dict[str, float] = {}
        self._some = asyncio.Event()

    def note(self, address: str, reason: str) -> None:
        """A peer was turned away."""
        self._forget()
        if not address or address in self._written:
            return
        reasons = self._waiting.get(address)
        if reasons is None:
            if len(self._waiting) + len(self._written) >= MOST:
                return
            reasons = self._waiting[address] = Counter()
            self._some.set()
        if reason in reasons or len(reasons) < REASONS:
            reasons[reason] += 1

    async def mind(self) -> None:
        """Write it down a little after it happened, until cancelled."""
        while True:
            await self._some.wait()
            await self._clock.sleep(EVERY_SECONDS)
            await self.write()

    async def write(self) -> None:
        """Write down what has come together. A trail that cannot be written is no reason to fail."""
        self._some.clear()
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, {}
        self._written.update(dict.fromkeys(waiting, self._clock.monotonic()))
        try:
            await self._database.write(lambda tx: _write(tx, waiting))
        except Unavailable as error:
            log.warning("turned_away.trail_lost", addresses=len(waiting), error=str(error))

    def _forget(self) -> None:
        """Let go of those of whom something may be written again: the first of a dict came first."""
        before = self._clock.monotonic() - QUIET_SECONDS
        while self._written and next(iter(self._written.values())) <= before:
            del self._written[next(iter(self._written))]


def _write(tx: Transaction, waiting: dict[str, Counter[str]]) -> None:
    for address, reasons in waiting.items():
        sentences = [reason + (f", {count} times" if count > 1 else "") for reason, count in reasons.items()]
        note = Note("turned away", {"address": address, "refusals": sentences})
        record.begin(tx, kind="refused", sender="", recipients=[], notes=[note])
