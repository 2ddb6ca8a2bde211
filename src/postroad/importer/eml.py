"""A file per message with its octets as they are, and a list of flags and dates beside them.

`messages.jsonl` has one line a message. Files from elsewhere have none: the
date is then that of the newest trace field, or the Date field, or the file's.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from postroad.importer.names import mailbox_of_path, path_of
from postroad.importer.values import Bad, Carried, Folder, Record, keywords_of, with_crlf
from postroad.message.date import parse_date
from postroad.message.header import HeaderBlock
from postroad.model.flags import BY_NAME, NAMES

LIST: Final = "messages.jsonl"


class _Line(msgspec.Struct, frozen=True):
    file: str
    date: datetime
    flags: list[str]
    keywords: list[str]


class EmlTarget:
    """Writes folders of eml files below a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._folder = directory
        self._list: BinaryIO | None = None

    @staticmethod
    def place(name: str) -> str:
        """The directory of a mailbox."""
        return path_of(name)

    def begin(self, folder: Folder) -> None:
        """Make a folder; its messages follow."""
        self._close()
        self._folder = self._directory / folder.place
        self._folder.mkdir(parents=True, exist_ok=True)
        self._list = (self._folder / LIST).open("wb")

    def add(self, uid: int, message: Carried) -> None:
        """Write a message into the folder that was begun last."""
        assert self._list is not None
        path = self._folder / f"{uid:08d}.eml"
        path.write_bytes(message.body)
        os.utime(path, (message.internal_date, message.internal_date))
        line = _Line(
            path.name,
            datetime.fromtimestamp(message.internal_date, UTC),
            [name.decode() for flag, name in NAMES.items() if message.flags & flag],
            sorted(message.keywords),
        )
        self._list.write(msgspec.json.encode(line) + b"\n")

    def finish(self) -> list[Bad]:
        """Write what is left to write; give what the format cannot say."""
        self._close()
        return []

    def _close(self) -> None:
        if self._list is not None:
            self._list.close()
            self._list = None


class EmlSource:
    """Reads one eml file, or all below a directory; each directory is a mailbox."""

    def __init__(self, path: Path, folders: list[Folder] | None = None) -> None:
        self._path = path
        self._folders = folders

    def octets(self) -> int:
        """Octets of all messages."""
        files = [file for folder in self.folders() for file in self._files(folder)]
        return sum(file.stat().st_size for file in files)

    def folders(self) -> Iterator[Folder]:
        """Every directory that has eml files."""
        if self._folders is not None:
            yield from self._folders
        elif self._path.is_file():
            yield Folder(mailbox_of_path(""))
        else:
            for directory in sorted({file.parent for file in self._path.rglob("*.eml")}):
                place = str(directory.relative_to(self._path)).removeprefix(".")
                yield Folder(mailbox_of_path(place), place=place)

    def messages(self, folder: Folder) -> Iterator[Record]:
        """The messages of a folder, by file name."""
        lines = _lines(self._path / folder.place / LIST)
        for file in self._files(folder):
            yield _read(file, f"{folder.name}/{file.name}", lines.get(file.name))

    def _files(self, folder: Folder) -> list[Path]:
        if self._path.is_file():
            return [self._path]
        return sorted(file for file in (self._path / folder.place).glob("*.eml") if file.is_file())


def _read(file: Path, where: str, line: _Line | None) -> Record:
    try:
        text = file.read_bytes()
        date = int(file.stat().st_mtime)
    except OSError as error:
        return Bad(where, error.strerror or str(error))
    if line is None:
        body = with_crlf(text)
        return Carried(body, 0, frozenset(), arrival(body, date), len(text), where)
    flags = sum(BY_NAME.get(name.lower().encode(), 0) for name in set(line.flags))
    return Carried(text, flags, keywords_of(line.keywords), int(line.date.timestamp()), len(text), where)


def arrival(body: bytes, otherwise: int) -> int:
    """When a message arrived, as far as it says so itself: the newest Received field, else Date."""
    header = HeaderBlock.parse(body)
    for value in ((header.first(b"received") or b"").rpartition(b";")[2], header.first(b"date") or b""):
        moment = parse_date(value)
        if moment is not None and moment.timestamp() >= 0:
            return int(moment.timestamp())
    return otherwise


def _lines(path: Path) -> dict[str, _Line]:
    """File name and line; lines that make no sense are as if they were not there."""
    found = {}
    try:
        for text in path.read_bytes().splitlines():
            try:
                line = msgspec.json.decode(text, type=_Line)
            except msgspec.DecodeError:
                continue
            found[line.file] = line
    except OSError:
        pass
    return found
