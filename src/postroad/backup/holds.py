"""Locks that end with their holder, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from postroad.backup.errors import Busy

ONE_BACKUP: Final = "backup.lock"


@contextmanager
def one_backup(data: Path) -> Iterator[None]:
    """Be the only one who changes what the target holds for this data directory.

    Raises:
        Busy: somebody else is at it.
    """
    descriptor = os.open(data / ONE_BACKUP, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy("another backup of this server is being made or pruned; wait for its end") from None
        yield
    finally:
        os.close(descriptor)
