"""Where addresses led to, remembered for as long as nobody has changed the directory."""

from typing import Final

from postroad.db.transaction import Asked, Reader
from postroad.directory import changes, resolve
from postroad.directory.resolve import Resolution
from postroad.model.address import Address

REMEMBERED: Final = 10_000
"""Addresses; strangers choose them, so there must be an end to it."""


class Remembered:
    """One worker's answers. The directory's version is asked for each time, so a change holds at once."""

    def __init__(self, hostname: str) -> None:
        self._hostname = hostname
        self._version = -1
        self._known: dict[Address, Resolution] = {}

    def known(self, asked: Asked, address: Address) -> Resolution | None:
        """The answer, if it is remembered and still holds: at most one point read instead of a handful."""
        version = changes.version(asked)
        if version != self._version or len(self._known) >= REMEMBERED:
            self._known.clear()
            self._version = version
        return self._known.get(address)

    def resolve(self, reader: Reader, address: Address) -> Resolution:
        """See `resolve.resolve`; the answer is remembered."""
        found = self.known(reader, address)
        if found is None:
            found = self._known[address] = resolve.resolve(reader, address, self._hostname)
        return found
