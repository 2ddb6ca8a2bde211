"""A disk whose failed syncs lose what they were to keep, as the kernel does it: the pages count as clean.

What a process reads back is what it wrote; what a power cut leaves is what
was synced without an error. Sectors of 512 octets are kept or lost as one.
"""

import errno
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import apsw
import pytest

SECTOR: Final = 512


@dataclass(slots=True)
class LossyDisk:
    """Keeps, for each file, what is safe, and counts syncs; the `fail_at`th fails."""

    safe: dict[str, bytearray] = field(default_factory=lambda: defaultdict(bytearray))
    dirty: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    count: int = 0
    failed: int = 0
    fail_at: int = 0

    def wrote(self, path: str, offset: int, length: int) -> None:
        """Something was written to the cache."""
        self.dirty[path].update(range(offset // SECTOR, (offset + max(length, 1) - 1) // SECTOR + 1))

    def sync(self, path: str) -> None:
        """Make a file safe, or lose what was new in it."""
        self.count += 1
        dirty = self.dirty.pop(path, set())
        if self.count == self.fail_at:
            self.failed += 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        with open(path, "rb") as file:
            for sector in sorted(dirty):
                file.seek(sector * SECTOR)
                octets, safe = file.read(SECTOR), self.safe[path]
                end = sector * SECTOR + len(octets)
                safe.extend(bytes(max(0, end - len(safe))))
                safe[sector * SECTOR : end] = octets

    def cut(self, path: str, size: int) -> None:
        """A file was shortened, which is taken for safe at once."""
        del self.safe[path][size:]
        self.dirty[path] = {sector for sector in self.dirty[path] if sector * SECTOR < size}

    def forget(self, path: str) -> None:
        """A file was removed."""
        self.safe.pop(path, None)
        self.dirty.pop(path, None)

    def after_a_power_cut(self, data: Path, to: Path) -> None:
        """Write what is left of the files below `data`."""
        for path, octets in self.safe.items():
            file = to / Path(path).relative_to(data)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(octets)

    def adopt(self, data: Path) -> None:
        """What lies below `data` is safe."""
        for file in data.rglob("*"):
            if file.is_file():
                self.safe[str(file)] = bytearray(file.read_bytes())


class _File(apsw.VFSFile):
    def __init__(self, disk: LossyDisk, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk
        self._path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._disk.wrote(self._path, offset, len(data))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._disk.cut(self._path, newsize)

    def xSync(self, flags: int) -> None:
        try:
            self._disk.sync(self._path)
        except OSError as error:
            raise apsw.IOError(str(error)) from error


class _Vfs(apsw.VFS):
    def __init__(self, disk: LossyDisk) -> None:
        self._disk = disk
        super().__init__("lossy", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        return _File(self._disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        self._disk.forget(filename)


@contextmanager
def lossy_disk() -> Iterator[LossyDisk]:
    """Put everything that this process writes to a store on such a disk."""
    disk = LossyDisk()
    vfs = _Vfs(disk)
    with pytest.MonkeyPatch.context() as patch:
        for name, call in _calls(disk).items():
            patch.setattr(os, name, call)
        yield disk
    vfs.unregister()


def _calls(disk: LossyDisk) -> dict[str, Callable[..., Any]]:
    real = {name: getattr(os, name) for name in ("pwritev", "pwrite", "fdatasync", "ftruncate")}

    def path(fd: int) -> str:
        return os.readlink(f"/proc/self/fd/{fd}")

    def pwritev(fd: int, buffers: Any, offset: int) -> int:
        written: int = real["pwritev"](fd, buffers, offset)
        disk.wrote(path(fd), offset, written)
        return written

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        written: int = real["pwrite"](fd, data, offset)
        disk.wrote(path(fd), offset, written)
        return written

    def fdatasync(fd: int) -> None:
        disk.sync(path(fd))

    def ftruncate(fd: int, size: int) -> None:
        real["ftruncate"](fd, size)
        disk.cut(path(fd), size)

    return {"pwritev": pwritev, "pwrite": pwrite, "fdatasync": fdatasync, "ftruncate": ftruncate}
