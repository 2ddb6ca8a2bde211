"""A disk that fails at a chosen operation, under SQLite and under the packs alike."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import apsw
import pytest

_CALLS: Final = ("pwritev", "fdatasync", "fsync", "posix_fallocate", "ftruncate")


class FaultyDisk:
    """Counts what is written and synced; the `fail_at`th such operation fails, or all from it on."""

    def __init__(self) -> None:
        self.count = 0
        self.failed = 0
        self._fail_at = 0
        self._for_good = False
        self._error = errno.EIO

    def arm(self, fail_at: int, error: int, *, for_good: bool) -> None:
        """From here on count anew."""
        self.count = self.failed = 0
        self._fail_at, self._error, self._for_good = fail_at, error, for_good

    def heal(self) -> None:
        """Nothing fails any more."""
        self._fail_at = 0

    def check(self) -> None:
        """Called before each operation; raises OSError at the wrong one."""
        self.count += 1
        if self._fail_at and (self.count == self._fail_at or (self._for_good and self.count > self._fail_at)):
            self.failed += 1
            raise OSError(self._error, os.strerror(self._error))


class _File(apsw.VFSFile):
    """A file of SQLite on the faulty disk."""

    def __init__(self, disk: FaultyDisk, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk

    def xWrite(self, data: bytes, offset: int) -> None:
        with _as_sqlite():
            self._disk.check()
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        with _as_sqlite():
            self._disk.check()
        super().xSync(flags)

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
        for name in _CALLS:
            patch.setattr(os, name, _checked(disk, getattr(os, name)))
        yield disk
    vfs.unregister()


def _checked(disk: FaultyDisk, call: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*arguments: Any) -> Any:
        disk.check()
        return call(*arguments)

    return checked
