"""Whether anybody has committed anything: 48 octets of memory instead of a question.

Every process that uses the index has mapped the beginning of `index.db-shm`,
where SQLite keeps how far its log goes, with a counter and a checksum, and
writes that anew with each commit before the commit returns
(https://sqlite.org/walformat.html §2.1). While it stays, so does every answer.
"""

import ctypes
import os
from pathlib import Path
from typing import Any, Final

from postroad.db.connect import DATABASE_NAME

_HEADER: Final = 48
_KEPT: Final = 500
"""Answers; then all are forgotten."""


class Answers:
    """What was answered since the last commit, by whichever process that was."""

    __slots__ = ("_as_of", "_known", "_stamp")

    def __init__(self, data: Path) -> None:
        """Ask it only while a connection is open that has read already: the memory is SQLite's."""
        at = _mapped(f"{os.path.realpath(data / DATABASE_NAME)}-shm")
        self._stamp = None if at is None else memoryview((ctypes.c_ubyte * _HEADER).from_address(at)).tobytes
        self._as_of = b""
        self._known: dict[Any, Any] = {}

    def now(self) -> dict[Any, Any]:
        """The answers that hold at this moment.

        Ask for them first, and add to them what is answered then: if somebody
        commits in between, the next who asks finds none.
        """
        stamp = self._stamp
        if stamp is None:
            return {}
        as_of = stamp()
        if as_of != self._as_of or len(self._known) >= _KEPT:
            self._known = {}
            self._as_of = as_of
        return self._known

    def close(self) -> None:
        """Do not look again; from now on nothing is remembered."""
        self._stamp = None


def _mapped(path: str) -> int | None:
    """Where a file begins in our memory; None if it is not there.

    It is not opened: to close a file that SQLite has locked ends the locks of the
    whole process (fcntl(2)).
    """
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None  # a jail without /proc
    for line in lines:
        place, _, offset, _, _, *name = line.split(maxsplit=5)
        if name == [path] and int(offset, 16) == 0:
            return int(place.partition("-")[0], 16)
    return None
