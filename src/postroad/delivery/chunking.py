"""Servers that offer CHUNKING and are bad at it get their messages by DATA for a while."""

from collections import OrderedDict
from typing import Final

from postroad.model.clock import Clock

SECONDS: Final = 86400.0
"""For how long; a firewall or a server that was mended is found out within a day."""
_KNOWN: Final = 10_000  # addresses that are remembered


class BadAtChunks:
    """Addresses where BDAT was refused, or the connection broke over it; for one worker."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: OrderedDict[str, float] = OrderedDict()

    def __contains__(self, address: str) -> bool:
        return bool(self._until) and self._clock.monotonic() < self._until.get(address, 0.0)

    def note(self, address: str) -> None:
        """It went wrong there."""
        self._until[address] = self._clock.monotonic() + SECONDS
        self._until.move_to_end(address)
        if len(self._until) > _KNOWN:
            self._until.popitem(last=False)
