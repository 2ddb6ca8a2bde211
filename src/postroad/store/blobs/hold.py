"""Keeping packs from being punched while somebody reads what an older index names.

The sweep frees octets an hour after nobody used them any more. Whoever works
from a snapshot for longer than that holds the packs meanwhile; the sweep then
waits for another time. It is a lock of the kernel: it ends with its holder,
and a backup that was killed keeps nothing from being freed.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_NAME: Final = ".hold"


@contextmanager
def hold_packs(folder: Path) -> Iterator[None]:
    """Have nothing punched; waits for a punch that is under way. Several may hold at once."""
    descriptor = _open(folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def may_punch(folder: Path) -> Iterator[bool]:
    """Whether nobody holds the packs; while this is true nobody can begin to."""
    descriptor = _open(folder)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _open(folder: Path) -> int:
    folder.mkdir(exist_ok=True)  # before the first message there is none
    return os.open(folder / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
