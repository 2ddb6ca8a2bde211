"""The pack format: readable lines, and behind some of them the bytes of a message.

    postroad/1 pack number=4
    postroad/1 blob length=10240 sha256=9f86d0… time=1763935200 crc32=1c291ca3
    <10240 octets>
    postroad/1 file account=7 mailbox=1 uid=12 modseq=912 message=33 blob=4:121 …
    postroad/1 group number=7 id=5d0c… after=93aa…

Every line begins with the same word and ends with LF, so that a pack can be
read with `less` and a reader that lost its place finds the next record with
one search. `blob` lines carry mail and are synced before the commit that
names them; the others are a journal of the index, without a sync of their
own: the index is the truth, the journal makes `store rebuild` exact. The CRC
of a message is for who reads it; an older postroad has written none.
Values are percent-encoded where they could hold a space or a line end.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from postroad.message.octets import find
from postroad.model.octets import Body, Octets

MAGIC: Final = b"postroad/1 "
_CRC: Final = b" crc32="
BLOB_LINE: Final = 144
"""Octets that hold the line in front of a message, however large that is."""
_LONGEST_LINE: Final = 1024 * 1024
_NUMBERS: Final = frozenset(
    b"account mailbox uid passed modseq message flags date saved uidvalidity length time item number"
    b" on thread user negative".split()
)


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a pack and, for a blob, where its octets lie."""

    kind: str
    fields: dict[str, bytes]
    at: int
    """Offset of the line."""
    body_at: int
    """Offset of the octets behind the line (0 when there are none)."""
    end: int
    """Where the next record begins."""

    def number(self, name: str) -> int:
        """A numeric field; 0 when it is missing."""
        return int(self.fields.get(name, b"0"))

    def text(self, name: str) -> str:
        """A text field; empty when it is missing."""
        return self.fields.get(name, b"").decode("utf-8", "replace")


def line(kind: str, **fields: int | str | bytes) -> bytes:
    """Return one record line; numbers plain, all else percent-encoded."""
    return (
        MAGIC
        + kind.encode()
        + b"".join([b" %b=%b" % (name.encode(), encode(value)) for name, value in fields.items()])
        + b"\n"
    )


def pack_line(number: int) -> bytes:
    """Return the first line of a pack; one without it is older than groups (`group_line`)."""
    return b"%bpack number=%d\n" % (MAGIC, number)


def blob_line(body: Body, digest: bytes, at: float) -> bytes:
    """Return the line in front of a message's octets."""
    named = b"%bblob length=%d sha256=%b time=%d" % (MAGIC, len(body), digest.hex().encode(), at)
    return named + crc_text(zlib.crc32(body))


def crc_text(crc: int) -> bytes:
    """How the line of a message with this CRC-32 ends."""
    return b"%b%08x\n" % (_CRC, crc)


def crc_text_in(before: bytes, digest: bytes) -> bytes:
    """How the line at the end of `before` ends, if it is that of a message with this digest; else nothing."""
    end = before[-len(crc_text(0)) :]
    return end if end.startswith(_CRC) and digest.hex().encode() in before else b""


def scan(pack: Octets, start: int = 0, end: int | None = None) -> Iterator[Record]:
    """Give the records of a pack (bytes or a mapped file), skipping what is damaged.

    After a line that makes no sense the search goes on at the next line that
    begins with the magic word; octets of a blob are never searched when its
    length is believable.
    """
    size = len(pack) if end is None else end
    position = start
    while (position := find(pack, MAGIC, position, size)) >= 0:
        stop = find(pack, b"\n", position, min(size, position + _LONGEST_LINE))
        record = None if stop < 0 else _parse(pack[position:stop], position, stop + 1)
        if record is None:
            position += len(MAGIC)
            continue
        if record.kind == "blob" and (record.end > size or pack[record.end - 1 : record.end] != b"\n"):
            # Torn: its octets did not all arrive. It was never acknowledged, or the file was cut.
            position += len(MAGIC)
            continue
        yield record
        position = record.end


def _parse(text: bytes, at: int, behind: int) -> Record | None:
    if b"\0" in text or MAGIC in text[1:]:
        return None  # octets that were never synced were lost in a power cut, and with them the line's end
    kind, *words = text[len(MAGIC) :].split(b" ")
    fields: dict[str, bytes] = {}
    for word in words:
        key, equals, value = word.partition(b"=")
        if not equals or (key in _NUMBERS and not value.removeprefix(b"-").isdigit()):
            return None
        fields[key.decode("ascii", "replace")] = unquote_to_bytes(value)
    name = kind.decode("ascii", "replace")
    if name == "blob" and not (fields.get("length", b"").isdigit() and "sha256" in fields):
        return None
    if name != "blob":
        return Record(name, fields, at, 0, behind)
    return Record(name, fields, at, behind, behind + int(fields["length"]) + 1)


def encode(value: int | str | bytes) -> bytes:
    """Return a value as it stands in a line."""
    if isinstance(value, int):
        return b"%d" % value
    raw = value.encode() if isinstance(value, str) else value
    if not raw:
        return b""
    # Only what has a meaning in a line: `replace` runs in C, and most values hold none of it.
    raw = raw.replace(b"%", b"%25").replace(b" ", b"%20").replace(b"\t", b"%09")
    return raw.replace(b"\r", b"%0D").replace(b"\n", b"%0A").replace(b"\0", b"%00")
