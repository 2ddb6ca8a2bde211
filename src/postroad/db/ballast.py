"""A file that takes up room, and is given up when others have filled the disk.

Mail is refused while the disk still has room (`policy.space`). But what else
writes to it need not stop there, and at its very end nobody could flag, move
or delete. So some of it is kept back for that.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final

from postroad.db.trouble import as_unavailable
from postroad.model.refusal import NoSpace, Unavailable
from postroad.obs.log import log

NAME: Final = "ballast"
OCTETS: Final = 16 * 1024 * 1024
"""Enough for some thousand small changes; SQLite's log alone grows to this."""
SPARE: Final = 64 * 1024 * 1024
"""What has to be free beside it for it to be made."""
SCANT: Final = 2 * 1024 * 1024
"""What a start needs."""
_PAUSE: Final = 1.0


class Ballast:
    """The file, as one process sees it."""

    def __init__(self, data: Path, clock: Callable[[], float] = monotonic) -> None:
        self._data = data
        self._path = data / NAME
        self._clock = clock
        self._dropped = False
        self._looked = float("-inf")

    def make(self) -> None:
        """Put the file there if there is room for it; that may not be so."""
        if not self._path.exists() and self._free() < OCTETS + SPARE:
            return
        with suppress(OSError):
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, OCTETS)
            except OSError:
                self._path.unlink(missing_ok=True)
                raise
            finally:
                os.close(fd)

    def as_unavailable(self, error: BaseException) -> Unavailable:
        """What waiters are told; of a disk that is full, the next will find a little that was kept back."""
        unavailable = as_unavailable(error)
        if isinstance(unavailable, NoSpace):
            self.drop()
        return unavailable

    def drop(self) -> None:
        """Give the room up: somebody was just told that the disk is full."""
        try:
            self._path.unlink()
        except OSError:
            return  # another process was quicker, or there was none
        self._dropped = True
        log.warning("store.disk_full", freed=OCTETS)

    def drop_if_scant(self) -> None:
        """Give the room up where there is next to none for a start."""
        if self._free() < SCANT:
            self.drop()

    def mend(self) -> None:
        """Make the file again that this process has dropped, once there is room; never raises."""
        if not self._dropped or self._clock() - self._looked < _PAUSE:
            return
        self._looked = self._clock()
        with suppress(OSError):
            self.make()
            self._dropped = not self._path.exists()

    def _free(self) -> int:
        status = os.statvfs(self._data)
        return status.f_bavail * status.f_frsize
