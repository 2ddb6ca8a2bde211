"""Maildir++: a file per message, its flags in its name, its date in its mtime.

As Dovecot and Courier have it: `cur` and `new` below each folder, folders
beside one another as `.Archive.2024`, keywords as letters that the file
`dovecot-keywords` explains. `S=` is the size of the file, `W=` that of the
message with CR LF.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from postroad.importer.names import mailbox_of_folder, mailbox_of_path, maildir_folder
from postroad.importer.values import Bad, Carried, Folder, Record, keywords_of, with_crlf, with_lf
from postroad.model.flags import Flag

KEYWORDS: Final = "dovecot-keywords"
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_FLAGS: Final = {"D": Flag.DRAFT, "F": Flag.FLAGGED, "R": Flag.ANSWERED, "S": Flag.SEEN, "T": Flag.DELETED}
_PASSED: Final = "$Forwarded"  # P, "passed", in the names of others
_OURS: Final = re.compile(r"\.U(\d+)\.postroad")
_FILE_SIZE: Final = re.compile(r",S=(\d+)")
_SIZE: Final = re.compile(r",W=(\d+)")


class MaildirTarget:
    """Writes a Maildir++ below a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._cur = directory / "cur"
        self._letters: dict[str, str] = {}
        self._too_many: list[Bad] = []

    @staticmethod
    def place(name: str) -> str:
        """The directory of a mailbox."""
        return maildir_folder(name)

    def begin(self, folder: Folder) -> None:
        """Make a folder; its messages follow."""
        place = self._directory / folder.place
        for name in ("cur", "new", "tmp"):
            (place / name).mkdir(parents=True, exist_ok=True)
        if place != self._directory:
            (place / "maildirfolder").touch()  # Courier: this is a part of the Maildir above
        self._cur = place / "cur"
        self._letters = dict(zip(folder.keywords, LETTERS, strict=False))
        if self._letters:
            lines = [f"{n} {keyword}\n" for n, keyword in enumerate(self._letters)]
            (place / KEYWORDS).write_text("".join(lines))
        for keyword in folder.keywords[len(LETTERS) :]:
            why = f"the keyword {keyword} is left out, a Maildir folder has {len(LETTERS)} at most"
            self._too_many.append(Bad(folder.name, why))

    def add(self, uid: int, message: Carried) -> None:
        """Write a message into the folder that was begun last."""
        text = with_lf(message.body)
        marks = [letter for letter, flag in _FLAGS.items() if message.flags & flag]
        marks += sorted(self._letters[word] for word in message.keywords if word in self._letters)
        sizes = f"S={len(text)},W={len(message.body)}"
        path = self._cur / f"{message.internal_date}.U{uid}.postroad,{sizes}:2,{''.join(marks)}"
        path.write_bytes(text)
        os.utime(path, (message.internal_date, message.internal_date))

    def finish(self) -> list[Bad]:
        """Give what the format could not say."""
        return self._too_many


class MaildirSource:
    """Reads a Maildir, alone or with folders beside (Maildir++) or below it."""

    def __init__(self, directory: Path, folders: list[Folder] | None = None) -> None:
        self._directory = directory
        self._folders = folders

    def octets(self) -> int:
        """Octets of all messages."""
        places = [folder.place for folder in self.folders()]
        return sum(entry.stat().st_size for place in places for entry in _entries(self._directory / place))

    def folders(self) -> Iterator[Folder]:
        """Every folder that has a `cur`."""
        if self._folders is not None:
            yield from self._folders
            return
        for path in maildirs(self._directory):
            place = str(path.relative_to(self._directory))
            flat = place.startswith(".") and "/" not in place
            yield Folder(mailbox_of_folder(place) if flat else mailbox_of_path(place), place=place)

    def messages(self, folder: Folder) -> Iterator[Record]:
        """The messages of a folder in the order in which they arrived."""
        place = self._directory / folder.place
        words = _keywords(place)
        for entry in sorted(_entries(place), key=_arrival):
            yield _read(entry, f"{folder.name}/{entry.name}", words)


def maildirs(directory: Path) -> list[Path]:
    """Every directory, this one and below, that has messages in `cur` or `new`."""
    found = []
    for path, names, _ in os.walk(directory):
        if "cur" in names:
            found.append(Path(path))
        names[:] = sorted(name for name in names if name not in ("cur", "new", "tmp"))
    return sorted(found)


def _entries(place: Path) -> Iterator["os.DirEntry[str]"]:
    for name in ("new", "cur"):
        if (place / name).is_dir():
            with os.scandir(place / name) as entries:
                yield from (e for e in entries if e.is_file() and not e.name.startswith("."))


def _arrival(entry: "os.DirEntry[str]") -> tuple[int, float, str]:
    ours = _OURS.search(entry.name)
    return int(ours[1]) if ours else 0, entry.stat().st_mtime, entry.name


def _read(entry: "os.DirEntry[str]", where: str, words: dict[str, str]) -> Record:
    try:
        text = Path(entry.path).read_bytes()
        date = int(entry.stat().st_mtime)
    except OSError as error:
        return Bad(where, error.strerror or str(error))
    said = _FILE_SIZE.search(entry.name)
    if said and int(said[1]) != len(text):
        return Bad(where, f"has {len(text)} octets and not {said[1]}, as its name says", len(text))
    size = _SIZE.search(entry.name)
    body = text if size and int(size[1]) == len(text) else with_crlf(text)
    _, _, marks = entry.name.rpartition(":2,")
    marks = marks if ":2," in entry.name else ""
    flags = sum(flag for letter, flag in _FLAGS.items() if letter in marks)
    keywords = [words[letter] for letter in marks if letter in words]
    if "P" in marks:
        keywords.append(_PASSED)
    return Carried(body, flags, keywords_of(keywords), date, len(text), where)


def _keywords(place: Path) -> dict[str, str]:
    """Letter and keyword, as the folder's own list has them."""
    try:
        lines = (place / KEYWORDS).read_text(errors="replace").splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        number, _, keyword = line.partition(" ")
        if number.isdigit() and int(number) < len(LETTERS):
            found[LETTERS[int(number)]] = keyword.strip()
    return found
