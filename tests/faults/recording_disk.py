"""A disk that remembers every write and sync, and can be had as it was after a power cut at any of them.

Stricter than any file system: a name is there when its folder was synced,
octets are there when their file was synced, and of everything else whatever
chance likes: nothing, all, or some writes and parts of writes in any order.
"""

import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import apsw
import pytest

_SECTOR: Final = 512
_LOGS: Final = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL


@dataclass(frozen=True, slots=True)
class Change:
    """A write (`data` at `start`), or a change of size (`end`, of a growth where `grow`)."""

    file: int
    start: int = 0
    data: bytes = b""
    end: int = -1
    grow: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a folder now means this file; None: it is gone."""

    path: Path
    file: int | None


@dataclass(frozen=True, slots=True)
class Sync:
    """A file or a folder is synced, with all that was recorded before `begun`."""

    what: int | Path
    begun: int


@dataclass(slots=True)
class Recording:
    """What was on the disk at first, and everything that has happened since.

    Files whose names end with `deaf` are never synced, whatever the server believes.
    """

    folder: Path
    deaf: str = "\0"
    contents: dict[int, bytes] = field(default_factory=dict)
    names: dict[Path, int] = field(default_factory=dict)
    first_names: dict[Path, int] = field(default_factory=dict)
    events: list[Change | Name | Sync] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    _paths: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        for path in self.folder.rglob("*"):
            if (path.is_file() and path.suffix in (".db", ".pack")) or path.name.endswith("-wal"):
                self.names[path] = len(self.contents)
                self.contents[self.names[path]] = path.read_bytes()
                self._paths.append(path)
        self.first_names = dict(self.names)

    def happens(self, event: Change | Name | Sync) -> None:
        """Record it."""
        with self.lock:
            self.events.append(event)

    def synced(self, what: int | Path, begun: int) -> None:
        """Record a sync."""
        if not (isinstance(what, int) and self._paths[what].name.endswith(self.deaf)):
            self.happens(Sync(what, begun))

    def file(self, path: Path) -> int | None:
        """The file that has this name now; None for one that is not watched."""
        return self.names.get(path)

    def made(self, path: Path) -> None:
        """A new, empty file."""
        with self.lock:
            number = len(self.contents)
            self.contents[number] = b""
            self.names[path] = number
            self._paths.append(path)
            self.events.append(Name(path, number))

    def removed(self, path: Path) -> None:
        """A name is gone."""
        if self.names.pop(path, None) is not None:
            self.happens(Name(path, None))

    def after_cut(self, at: int, target: Path, chance: random.Random) -> None:
        """Write to `target` what is left when the power goes before event number `at`."""
        kept = chance.choice((0.0, 0.0, 0.3, 0.7, 1.0))
        contents = {number: bytearray(octets) for number, octets in self.contents.items()}
        names = dict(self.first_names)
        open_changes: dict[int, list[tuple[int, Change]]] = {}
        open_names: list[tuple[int, Name]] = []
        for number, event in enumerate(self.events[:at]):
            match event:
                case Change():
                    open_changes.setdefault(event.file, []).append((number, event))
                case Name():
                    open_names.append((number, event))
                case Sync(int() as file, begun):
                    pending = open_changes.pop(file, [])
                    for when, change in pending:
                        if when < begun:
                            _apply(contents[file], change)
                    open_changes[file] = [one for one in pending if one[0] >= begun]
                case Sync(folder, begun):
                    mine = [one for one in open_names if one[1].path.parent == folder and one[0] < begun]
                    for _, name in mine:
                        _rename(names, name)
                    open_names = [one for one in open_names if one not in mine]
        for _, name in open_names:
            if chance.random() < kept:
                _rename(names, name)
        for file, pending in open_changes.items():
            for _, change in pending:
                if chance.random() < kept:
                    _apply(contents[file], _torn(change, chance))
        for path, file in names.items():
            copy = target / path.relative_to(self.folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(contents[file])


def _apply(octets: bytearray, change: Change) -> None:
    if change.end >= 0:
        if change.end > len(octets):
            octets.extend(bytes(change.end - len(octets)))
        elif not change.grow:
            del octets[change.end :]
        return
    if change.start > len(octets):
        octets.extend(bytes(change.start - len(octets)))
    octets[change.start : change.start + len(change.data)] = change.data


def _rename(names: dict[Path, int], name: Name) -> None:
    if name.file is None:
        names.pop(name.path, None)
    else:
        names[name.path] = name.file


def _torn(change: Change, chance: random.Random) -> Change:
    """Perhaps only some first sectors of a write."""
    if change.end >= 0 or chance.random() < 0.7:
        return change
    length = chance.randrange(0, len(change.data) + 1, _SECTOR)
    return Change(change.file, change.start, change.data[:length])


class _File(apsw.VFSFile):
    """A file of SQLite on the recorded disk."""

    def __init__(self, recording: Recording, name: Any, flags: list[int]) -> None:
        path = Path(name.filename() if hasattr(name, "filename") else name)
        new = not path.exists()
        super().__init__("unix", name, flags)
        if new and path.parent == recording.folder and not path.name.endswith("-shm"):
            recording.made(path)
        self._recording = recording
        self._number = recording.file(path)
        # The system's layer under SQLite syncs the folder of a log with the first sync of the log.
        self._folder = path.parent if flags[0] & _LOGS and flags[0] & apsw.SQLITE_OPEN_CREATE else None

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._number is not None:
            self._recording.happens(Change(self._number, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:
        if self._number is not None:
            self._recording.happens(Change(self._number, end=newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:
        begun = len(self._recording.events)
        super().xSync(flags)
        if self._number is not None:
            self._recording.synced(self._number, begun)
            if self._folder is not None:
                self._recording.synced(self._folder, begun)
                self._folder = None


class _Vfs(apsw.VFS):
    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        super().__init__("recording", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> _File:
        return _File(self._recording, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        path = Path(filename)
        self._recording.removed(path)
        if syncdir:
            self._recording.synced(path.parent, len(self._recording.events))


@contextmanager
def recorded(folder: Path, deaf: str = "\0") -> Iterator[Recording]:
    """Record what this process writes to index and packs below `folder`."""
    recording = Recording(folder, deaf)
    vfs = _Vfs(recording)
    with pytest.MonkeyPatch.context() as patch:
        for name, note in _NOTES.items():
            patch.setattr(os, name, _noted(recording, getattr(os, name), note))
        for name in ("fsync", "fdatasync"):
            patch.setattr(os, name, _synced(recording, getattr(os, name)))
        patch.setattr(os, "open", _opened(recording, os.open))
        patch.setattr(os, "unlink", _unlinked(recording, os.unlink))
        yield recording
    vfs.unregister()


_NOTES: Final[dict[str, Callable[..., Change]]] = {
    "pwritev": lambda file, pieces, offset: Change(file, offset, b"".join(map(bytes, pieces))),
    "pwrite": lambda file, data, offset: Change(file, offset, bytes(data)),
    "ftruncate": lambda file, length: Change(file, end=length),
    "posix_fallocate": lambda file, start, length: Change(file, end=start + length, grow=True),
}


def _path(fd: int) -> Path:
    return Path(os.readlink(f"/proc/self/fd/{fd}"))


def _noted(recording: Recording, call: Callable[..., Any], note: Callable[..., Change]) -> Callable[..., Any]:
    def noted(fd: int, *arguments: Any) -> Any:
        file = recording.file(_path(fd))
        if file is not None:
            recording.happens(note(file, *arguments))
        return call(fd, *arguments)

    return noted


def _synced(recording: Recording, call: Callable[[int], None]) -> Callable[[int], None]:
    def synced(fd: int) -> None:
        begun, path = len(recording.events), _path(fd)
        call(fd)
        file = recording.file(path)
        recording.synced(path if file is None else file, begun)

    return synced


def _opened(recording: Recording, call: Callable[..., int]) -> Callable[..., int]:
    def opened(path: Any, flags: int, *more: Any, **named: Any) -> int:
        fd = call(path, flags, *more, **named)
        if flags & os.O_EXCL and str(path).endswith(".pack"):
            recording.made(Path(path))
        return fd

    return opened


def _unlinked(recording: Recording, call: Callable[..., None]) -> Callable[..., None]:
    def unlinked(path: Any, **named: Any) -> None:
        call(path, **named)
        recording.removed(Path(path))

    return unlinked
