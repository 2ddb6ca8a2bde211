"""Moving the log of the index into its file; a sync that failed is not taken for one that did not (ADR 4).

SQLite moves a part of the log without a sync while a reader stands in the way
of the rest, and counts that part as done. After a failed sync the kernel may
have dropped the pages of that part and called them clean. The next sync
succeeds, the log begins anew, and what was lost is missed after the next power
cut. So after a failure the whole log is moved again: each commit has synced
its own piece of it, and that is what can be believed.
"""

import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw

from postroad.db.connect import DATABASE_NAME
from postroad.db.lock import WriteLock
from postroad.model.refusal import Unavailable
from postroad.obs.log import log

_LOCK_NAME: Final = "index.moving"

# The index of the log (sqlite.org/walformat.html) begins with two headers of 48 octets; behind them
# stands how many frames have been moved. Zero is always true enough: they are moved once more.
_VERSION: Final = 3007000
_MOVED_AT: Final = 96


class LogMover:
    """Moves the log for one worker; one at a time, so that none goes on from where another failed."""

    def __init__(self, data: Path) -> None:
        self._lock = WriteLock(data / _LOCK_NAME)
        self._index_of_log = data / (DATABASE_NAME + "-shm")
        self._fd = -1

    def move(self, connection: apsw.Connection) -> None:
        """Move what no reader stands in the way of.

        Raises:
            apsw.BusyError: somebody else is at it.
            apsw.Error: the disk failed, or is full.
        """
        if not self._lock.try_acquire():
            raise apsw.BusyError("another worker moves the log")
        try:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except (apsw.IOError, apsw.FullError):
            self._begin_again()
            raise
        finally:
            self._lock.release()

    def close(self) -> None:
        """Give the lock file back."""
        self._lock.close()

    def _begin_again(self) -> None:
        if self._fd < 0:
            # Never closed: closing any descriptor of a file drops SQLite's own locks on it (fcntl(2)).
            self._fd = os.open(self._index_of_log, os.O_RDWR | os.O_CLOEXEC)
        if os.pread(self._fd, 4, 0) == struct.pack("=I", _VERSION):
            os.pwrite(self._fd, bytes(4), _MOVED_AT)


def settle(connection: apsw.Connection) -> None:
    """At a start: move what the log holds, sync it, and begin a new log.

    A commit whose sync failed before we were killed may lie in the log as the
    kernel remembers it, and not on the disk. Nothing is built on it before it is there.

    Raises:
        Unavailable: the disk cannot keep it.
    """
    try:
        with suppress(apsw.BusyError):  # a tool reads; the first commit syncs behind it what counts
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    except apsw.FullError as error:
        log.warning("store.checkpoint_failed", error=str(error))  # reading and deleting go on
    except apsw.IOError as error:
        raise Unavailable(f"the index cannot be brought to the disk: {error}") from error
