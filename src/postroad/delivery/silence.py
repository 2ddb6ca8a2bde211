"""Addresses that did not answer are left alone for a while."""

from collections import OrderedDict
from typing import Final

from postroad.model.clock import Clock

FIRST: Final = 120.0
"""Seconds for which an address that did not answer is left alone; doubles each time, up to the longest."""
LONGEST: Final = 1800.0
_KNOWN: Final = 10_000  # addresses whose silence is remembered


class Silence:
    """Addresses that did not answer, and until when they are left alone; for one worker."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def left(self, address: str) -> float:
        """Seconds for which an address is still left alone."""
        until, _ = self._until.get(address, (0.0, 0))
        return max(0.0, until - self._clock.monotonic())

    def note(self, address: str) -> None:
        """It did not answer (again)."""
        _, failures = self._until.pop(address, (0.0, 0))
        wait = min(FIRST * 2.0 ** min(failures, 30), LONGEST)
        self._until[address] = self._clock.monotonic() + wait, failures + 1
        if len(self._until) > _KNOWN:
            self._until.popitem(last=False)

    def forget(self, address: str) -> None:
        """It answers."""
        self._until.pop(address, None)
