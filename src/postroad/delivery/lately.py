"""Where mail for a destination went a moment ago: what comes right behind it goes there, too.

Routes, MX, addresses, MTA-STS and DANE are looked up once for a burst and not
for each of its messages. It holds for a second, and no longer than the
directory stays as it is.
"""

from typing import Final, Generic, NamedTuple, TypeVar

from postroad.model.clock import Clock
from postroad.model.envelope import Wish

C = TypeVar("C")

SECONDS: Final = 1.0
"""From the look-up on: a record of the DNS holds longer."""
MOST: Final = 1000


class Asked(NamedTuple):
    """What the answer depends on."""

    destination: str
    attempts: int
    """Routes may be for those that have failed before."""
    wish: Wish
    strict: bool
    version: int
    """Of the directory, where the routes are."""
    sender: str
    """The domain that it is from, if some route asks for that."""


class Lately(Generic[C]):
    """Contacts of one worker."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._found: dict[Asked, tuple[float, C]] = {}

    def now(self) -> float:
        """To be told to `keep` with what is looked up from now on."""
        return self._clock.monotonic()

    def find(self, asked: Asked) -> C | None:
        """Where the last message went, if that still holds."""
        found = self._found.get(asked)
        if found is None:
            return None
        if self._clock.monotonic() - found[0] < SECONDS:
            return found[1]
        del self._found[asked]
        return None

    def keep(self, asked: Asked, began: float, contact: C) -> None:
        """A message went there; `began` is when it was looked up where to."""
        if len(self._found) >= MOST:
            self._found.clear()
        self._found[asked] = began, contact
