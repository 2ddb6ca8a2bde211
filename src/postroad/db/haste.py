"""Whether the loop may make a group durable by itself (ADR 0007).

To wake a thread and to be woken by it costs 50 to 200 µs of time on a virtual
machine, and CPU besides; on a quick disk the syncs cost no more. On a slow one
all that a worker serves would stand still meanwhile.
"""

from typing import Final

QUICK: Final = 0.005
"""Seconds that commits may take, syncs and all, for the loop to do the next one. Nobody notices so little,
and the statements of 100 verbs, which run there as well, take longer."""
_LITTLE: Final = 256 * 1024
"""Octets: more are a large message, or many, of which the disk may make any time it likes."""
_WEIGHT: Final = 1 / 8


class Haste:
    """How long the last commits took, the latest weighing most."""

    def __init__(self) -> None:
        self._mean = 0.0

    def took(self, seconds: float) -> None:
        """A commit ended, well or not, after so many seconds; most of them are its syncs."""
        self._mean += (seconds - self._mean) * _WEIGHT

    def allows(self, octets: int) -> bool:
        """Whether the next one, which writes so many octets to a pack, is worth no thread."""
        return self._mean < QUICK and octets <= _LITTLE
