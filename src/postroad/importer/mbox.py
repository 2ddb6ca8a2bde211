"""mbox: all messages of a mailbox in one file, each behind a `From ` line (RFC 4155).

Written as mboxrd: a line of a message that begins with `From `, behind any
number of `>`, gets one `>` more, so that nothing is lost. Line ends are those
of Unix. Flags and UIDs stand in front of the header as `Status`, `X-Status`,
`X-Keywords` and `X-UID`, as mutt, Dovecot and Alpine have them.
"""

import mmap
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from postroad.importer.eml import arrival
from postroad.importer.mbox_status import Status, read_status, write_base, write_status
from postroad.importer.names import mailbox_of_path, path_of
from postroad.importer.values import Bad, Carried, Folder, Record, with_crlf, with_lf
from postroad.message.header import HeaderBlock
from postroad.message.octets import find

SUFFIX: Final = ".mbox"
_FROM: Final = b"From "
_TO_QUOTE: Final = re.compile(rb"(?m)^(>*From )")
_QUOTED: Final = re.compile(rb"(?m)^>(>*From )")
# "From ada@example.org Sat Jan  3 01:05:34 1996", its zone in one of two places or missing.
_DATE: Final = re.compile(
    rb"\b([A-Z][a-z]{2})\s+(\d{1,2})\s+(\d{1,2}):(\d\d)(?::(\d\d))?(?:\s+[A-Z]+)?(?:\s+([+-]\d{4}))?"
    rb"\s+(\d{4})(?:\s+([+-]\d{4}))?\s*$"
)
_MONTHS: Final = (
    b"Jan",
    b"Feb",
    b"Mar",
    b"Apr",
    b"May",
    b"Jun",
    b"Jul",
    b"Aug",
    b"Sep",
    b"Oct",
    b"Nov",
    b"Dec",
)
_LONGEST_FROM: Final = 1000


class MboxTarget:
    """Writes an mbox file for each mailbox below a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._file: BinaryIO | None = None
        self._base = b""

    @staticmethod
    def place(name: str) -> str:
        """The file of a mailbox."""
        return path_of(name) + SUFFIX

    def begin(self, folder: Folder) -> None:
        """Make a file; its messages follow."""
        self._close()
        path = self._directory / folder.place
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        self._base = write_base(folder)

    def add(self, uid: int, message: Carried) -> None:
        """Write a message into the file that was begun last."""
        assert self._file is not None
        text = _TO_QUOTE.sub(rb">\1", with_lf(message.body))
        end = b"" if text.endswith(b"\n") else b"\n"
        status = self._base + write_status(uid, Status(message.flags, message.keywords))
        self._base = b""
        if b"\r\n" in text:
            status = with_crlf(status)
        self._file.write(_from_line(message) + status + text + end + b"\n")

    def finish(self) -> list[Bad]:
        """Write what is left to write; give what the format cannot say."""
        self._close()
        return []

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class MboxSource:
    """Reads an mbox file, or all below a directory: Thunderbird's and Apple Mail's folders too."""

    def __init__(self, path: Path, folders: list[Folder] | None = None) -> None:
        self._path = path
        self._folders = folders

    def octets(self) -> int:
        """Octets of all files."""
        return sum((self._path / folder.place).stat().st_size for folder in self.folders())

    def folders(self) -> Iterator[Folder]:
        """Every file that begins with a `From ` line."""
        if self._folders is not None:
            yield from self._folders
        elif self._path.is_file():
            yield Folder(_mailbox(self._path.name))
        else:
            for file in sorted(self._path.rglob("*")):
                place = file.relative_to(self._path)
                if not any(part.startswith(".") for part in place.parts) and is_mbox(file):
                    yield Folder(_mailbox(str(place)), place=str(place))

    def messages(self, folder: Folder) -> Iterator[Record]:
        """The messages of a file."""
        path = self._path / folder.place if folder.place else self._path
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size:
                    with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as text:
                        yield from _messages(text, folder.name, int(path.stat().st_mtime))
        except OSError as error:
            yield Bad(folder.name, error.strerror or str(error))


def is_mbox(path: Path) -> bool:
    """Whether a file begins as an mbox does."""
    try:
        with path.open("rb") as file:
            return file.read(len(_FROM)) == _FROM
    except OSError:
        return False


def _mailbox(path: str) -> str:
    """Thunderbird keeps `Work/2024` in Work.sbd/2024, Apple Mail in Work/2024.mbox/mbox."""
    levels = path.removesuffix(f"{SUFFIX}/mbox").removesuffix(SUFFIX).split("/")
    name = mailbox_of_path("/".join(level.removesuffix(".sbd") for level in levels))
    return "INBOX" if name.lower() in ("inbox", "mbox") else name


def _messages(text: mmap.mmap, name: str, otherwise: int) -> Iterator[Record]:
    starts = _starts(text)
    first = next(starts, None)
    if first is None or first > 0:
        end = len(text) if first is None else first
        yield Bad(name, f"its first {end} octets belong to no message", end)
    number = 0
    while first is not None:
        behind = next(starts, None)
        number += 1
        octets = text[first : len(text) if behind is None else behind]
        record = _message(octets, f"{name}, message {number}", otherwise)
        if record is not None:
            yield record
        first = behind


def _starts(text: mmap.mmap) -> Iterator[int]:
    """Where messages begin."""
    at = 0
    while at >= 0:
        if _begins_message(text, at):
            yield at
        found = find(text, b"\n" + _FROM, at, len(text))
        at = found + 1 if found >= 0 else -1


def _begins_message(text: mmap.mmap, at: int) -> bool:
    """A `From ` line behind an empty line, with a date or nothing else in it."""
    if text[at : at + len(_FROM)] != _FROM:
        return False
    if at > 0 and not text[max(0, at - 3) : at].endswith((b"\n\n", b"\n\r\n")):
        return False
    end = find(text, b"\n", at, min(at + _LONGEST_FROM, len(text)))
    line = text[at + len(_FROM) : max(end, at + len(_FROM))]
    return line.strip() in (b"", b"-") or _DATE.search(line) is not None


def _message(text: bytes, where: str, otherwise: int) -> Record | None:
    line, _, rest = text.partition(b"\n")
    # The empty line in front of the next `From ` line is not the message's.
    if rest.endswith((b"\n\n", b"\n\r\n")):
        rest = rest[:-1].removesuffix(b"\r")
    read = read_status(_QUOTED.sub(rb"\1", rest))
    if read is None:
        return None
    status, octets = read
    body = with_crlf(octets)
    date = _moment(line)
    date = arrival(body, otherwise) if date is None else date
    return Carried(body, status.flags, status.keywords, date, len(text), where)


def _from_line(message: Carried) -> bytes:
    path = HeaderBlock.parse(message.body).first(b"return-path") or b""
    sender = path.strip(b"<> \t")
    if not sender or b" " in sender or not sender.isascii():
        sender = b"MAILER-DAEMON"
    moment = datetime.fromtimestamp(message.internal_date, UTC)
    return b"From %b %b\n" % (sender, moment.ctime().encode())


def _moment(line: bytes) -> int | None:
    """Seconds since the epoch; without a zone it is taken for UTC."""
    found = _DATE.search(line)
    if found is None or found[1] not in _MONTHS:
        return None
    zone = (found[6] or found[8] or b"+0000").decode()
    year, month, day = int(found[7]), _MONTHS.index(found[1]) + 1, int(found[2])
    try:
        moment = datetime(year, month, day, int(found[3]), int(found[4]), int(found[5] or 0), tzinfo=UTC)
    except ValueError:
        return None
    away = (int(zone[1:3]) * 60 + int(zone[3:])) * 60
    return int(moment.timestamp()) - (away if zone[0] == "+" else -away)
