"""Backups in a directory: another disk, or a network file system."""

import os
import threading
from pathlib import Path
from typing import Final

from postroad.backup.errors import NoSuchObject, TargetError

INCOMING: Final = "incoming"
"""Files that are being written; they are renamed to where they belong once they are durable."""


class DirectoryTarget:
    """Objects as files, written beside their place, synced and renamed."""

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            TargetError: there is no such directory.
        """
        if not folder.is_dir():
            # Never made here: where a disk should be mounted and is not, it would fill the wrong one.
            raise TargetError(f"there is no directory {folder}; mount the disk, or make the directory")
        self._folder = folder
        self._touched: set[Path] = set()
        self._guard = threading.Lock()

    @property
    def name(self) -> str:
        """The path."""
        return str(self._folder)

    def put(self, name: str, octets: bytes) -> None:
        """Write, sync, rename."""
        path = self._folder / name
        beside = self._folder / INCOMING / f"{name.replace('/', '-')}.{threading.get_native_id()}"
        try:
            for folder in (path.parent, beside.parent):
                self._make(folder)
            try:
                _write(beside, octets)
                beside.replace(path)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise self._failed(f"write {name}", error) from error
        with self._guard:
            self._touched.add(path.parent)

    def get(self, name: str) -> bytes:
        """Read the file."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            raise NoSuchObject(f"{self.name} has no {name}") from None
        except OSError as error:
            raise self._failed(f"read {name}", error) from error

    def list(self, folder: str) -> dict[str, int]:
        """Walk the folder."""
        found: dict[str, int] = {}
        try:
            for place, _, names in os.walk(self._folder / folder, onerror=_unless_missing):
                inside = Path(place).relative_to(self._folder)
                for name in names:
                    found[str(inside / name)] = os.stat(os.path.join(place, name)).st_size
        except OSError as error:
            raise self._failed(f"list {folder}", error) from error
        return found

    def delete(self, name: str) -> None:
        """Unlink the file."""
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise self._failed(f"remove {name}", error) from error

    def settle(self) -> None:
        """Sync the folders; the files are synced already."""
        with self._guard:
            touched, self._touched = self._touched, set()
        try:
            for folder in (*sorted(touched), self._folder):
                _sync_folder(folder)
        except OSError as error:
            raise self._failed("sync", error) from error

    def clear(self) -> None:
        """Empty the folder of files that are being written."""
        try:
            for path in (self._folder / INCOMING).glob("*"):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise self._failed("tidy up", error) from error

    def close(self) -> None:
        """Nothing is open."""

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            with self._guard:
                self._touched.add(folder.parent)

    def _failed(self, what: str, error: OSError) -> TargetError:
        return TargetError(f"{self.name}: cannot {what}: {error.strerror or error}")


def _write(path: Path, octets: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
