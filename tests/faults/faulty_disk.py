"""A disk that fails at a chosen operation, under SQLite and under the packs alike."""

import ctypes
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import apsw
import pytest

from postroad.store.blobs import punch, room

SHORT: Final = 0
"""Instead of an error: the disk takes half of a write, as one does that becomes full in the middle of it.

The caller is told how much it was; after a disk that is gone for good from there on nothing more is taken.
"""
FAULTS: Final = pytest.mark.parametrize(
    "fault", [errno.EIO, errno.ENOSPC, SHORT], ids=["EIO", "ENOSPC", "short"]
)

_CALLS: Final = ("pwrite", "posix_fallocate", "ftruncate", "replace")


class FaultyDisk:
    """Counts what is written, synced, renamed and punched; the `fail_at`th of it fails, or all from there on.

    Nothing is really synced: the machine under the tests does not go down, and they are many.
    """

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self._fail_at = 0
        self._for_good = False
        self._fault = errno.EIO

    def arm(self, fail_at: int, fault: int, *, for_good: bool) -> None:
        """From here on count anew; `fault` is an error number, or SHORT."""
        self.count = self.failed = 0
        self._fail_at, self._fault, self._for_good = fail_at, fault, for_good

    def heal(self) -> None:
        """Nothing fails any more."""
        self._fail_at = 0

    @property
    def passed(self) -> bool:
        """Whether there were fewer operations than the one that was to fail."""
        return self.count < self._fail_at

    def check(self) -> None:
        """Called before each operation that is no write; raises OSError at the wrong one."""
        self._next(of_a_write=False)

    def cuts_short(self) -> bool:
        """Called before each write; raises OSError at the wrong one, or says that it takes only half."""
        return self._next(of_a_write=True)

    def _next(self, *, of_a_write: bool) -> bool:
        self.count += 1
        behind = self.count - self._fail_at
        if not self._fail_at or behind < 0 or (behind > 0 and not self._for_good):
            return False
        if self._fault == SHORT and behind == 0:
            self.failed += of_a_write
            return of_a_write
        self.failed += 1
        code = self._fault or errno.ENOSPC
        raise OSError(code, os.strerror(code))


class _File(apsw.VFSFile):
    """A file of SQLite on the faulty disk."""

    def __init__(self, disk: FaultyDisk, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk

    def xWrite(self, data: bytes, offset: int) -> None:
        with _as_sqlite():
            short = self._disk.cuts_short()
        if short:
            super().xWrite(data[: len(data) // 2], offset)
            # SQLite's own layer would try the rest, and find that the disk is full.
            raise apsw.FullError("half of it was written")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        with _as_sqlite():
            self._disk.check()

    def xTruncate(self, newsize: int) -> None:
        with _as_sqlite():
            self._disk.check()
        super().xTruncate(newsize)


class _Vfs(apsw.VFS):
    def __init__(self, disk: FaultyDisk) -> None:
        self._disk = disk
        super().__init__("faulty", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        return _File(self._disk, name, flags)


@contextmanager
def _as_sqlite() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        kind = apsw.FullError if error.errno == errno.ENOSPC else apsw.IOError
        raise kind(str(error)) from error


@contextmanager
def faulty_disk(disk: FaultyDisk | None = None) -> Iterator[FaultyDisk]:
    """Put everything that this process writes to a store on a faulty disk."""
    disk = disk or FaultyDisk()
    vfs = _Vfs(disk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "ZEROED_AHEAD", 4096)  # all that is there would be copied a thousand times
        patch.setattr(room, "ALLOCATED_AHEAD", 4096)
        for name in _CALLS:
            patch.setattr(os, name, _checked(disk, getattr(os, name)))
        for name in ("fdatasync", "fsync"):
            patch.setattr(os, name, _checked(disk, lambda _fd: None))
        patch.setattr(os, "unlink", _unlink(disk, os.unlink))
        patch.setattr(os, "pwritev", _pwritev(disk, os.pwritev))
        patch.setattr(punch._libc, "fallocate", _fallocate(disk, punch._libc.fallocate))
        yield disk
    vfs.unregister()


def _checked(disk: FaultyDisk, call: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*arguments: Any, **named: Any) -> Any:
        disk.check()
        return call(*arguments, **named)

    return checked


def _pwritev(disk: FaultyDisk, call: Callable[..., int]) -> Callable[..., int]:
    def pwritev(fd: int, pieces: Any, offset: int) -> int:
        if not disk.cuts_short():
            return call(fd, pieces, offset)
        octets = b"".join(map(bytes, pieces))
        return call(fd, [octets[: max(1, len(octets) // 2)]], offset)

    return pwritev


def _unlink(disk: FaultyDisk, call: Callable[..., None]) -> Callable[..., None]:
    """Sockets come and go as well, but hold nothing."""

    def unlink(path: Any, **named: Any) -> None:
        if str(path).endswith(".pack"):
            disk.check()
        call(path, **named)

    return unlink


def _fallocate(disk: FaultyDisk, call: Callable[..., int]) -> Callable[..., int]:
    """A hole is punched through ctypes, where an error is a number beside the answer."""

    def fallocate(*arguments: int) -> int:
        try:
            disk.check()
        except OSError as error:
            ctypes.set_errno(error.errno or errno.EIO)
            return -1
        return call(*arguments)

    return fallocate
