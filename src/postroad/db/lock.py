"""The writers' queue: one file lock that every process takes before it writes.

SQLite's own busy handler polls with growing sleeps, which costs two busy
workers tens of milliseconds a turn. `flock` wakes the next one at once.
"""

import fcntl
import os
from pathlib import Path


class WriteLock:
    """An exclusive lock between processes (and between workers in one process)."""

    def __init__(self, path: Path) -> None:
        # The descriptor is this object's own, so two of them in one process exclude each other too.
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_acquire(self) -> bool:
        """Take the lock if it is free now."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def acquire(self) -> None:
        """Wait for the lock; blocks the thread."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def release(self) -> None:
        """Let the next one in."""
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        """Give the descriptor back (and the lock with it)."""
        os.close(self._fd)
