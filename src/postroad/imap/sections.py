"""BODY[…] and its kin: cut from the stored message and sent in pieces (RFC 3501 §6.4.5)."""

from collections.abc import Sequence
from typing import Final, TypeAlias

from postroad.imap.turns import Turns
from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.fetch_items import FetchSection
from postroad.message.header import MAX_HEADER
from postroad.message.section import header_subset
from postroad.net.connection import Connection
from postroad.store.messages import StoredMessage

PIECE: Final = 128 * 1024
"""Octets read from a pack at a time."""
WRITE: Final = 64 * 1024
"""Octets that small answers are joined to before they are written."""

_Place: TypeAlias = tuple[int, int]


class Writer:
    """Joins what is small in the core and passes it on in pieces, never holding much."""

    __slots__ = ("_conn", "_core", "_patience")

    def __init__(self, conn: Connection, core: ImapServerCore, patience: float) -> None:
        """`patience` is how long the client may leave unread what it is sent."""
        self._conn = conn
        self._core = core
        self._patience = patience

    def put(self, octets: bytes) -> None:
        """Take octets; they go out with the end of the command, or once `room` is asked for."""
        if octets:
            self._core.write(octets)

    @property
    def full(self) -> bool:
        """Whether there is enough to be written."""
        return self._core.unsent > WRITE

    async def room(self) -> None:
        """Write what there is, if it is enough, and wait for a client that does not read."""
        if self.full:
            await self._conn.send(b"", self._patience)

    async def send(self, octets: bytes) -> None:
        """Write a large piece, without copying it unless it is to be compressed."""
        if self._core.compression is None:
            await self._conn.send(octets, self._patience)
        else:
            self._core.write(octets)
            await self._conn.send(b"", self._patience)


class Cuts:
    """The sections of one message that are to be sent, found before anything is said."""

    __slots__ = ("_base", "_message", "_places", "_sections", "_text")

    def __init__(self, message: StoredMessage, sections: Sequence[FetchSection]) -> None:
        """Find the sections, and read them where they are small.

        Raises:
            Damaged: the message is not there to its last octet.
        """
        self._message = message
        self._sections = sections
        self._places = [message.section(section.path, section.text) for section in sections]
        there = [place for place in self._places if place is not None]
        self._base = min([start for start, _ in there], default=0)
        end = max([end for _, end in there], default=0)
        self._text: bytes | None = None
        if end - self._base <= PIECE:
            self._text = message.read(self._base, end)
        else:
            message.read(end - 1, end)

    def ready(self) -> bytes | None:
        """Return `BODY[…] {n}` and the octets of each section, a space between; None where large."""
        if self._text is None:
            return None
        parts: list[bytes] = []
        for section, place in zip(self._sections, self._places, strict=True):
            parts.append(section.label)
            if place is None:
                parts.append(b" NIL ")
                continue
            octets = self._fields(section, place) if section.fields else self._region(section, place)
            parts += (b" {%d}\r\n" % len(octets), octets, b" ")
        return b"".join(parts)[:-1]

    async def send(self, writer: Writer, turns: Turns) -> None:
        """Send what `ready` gives, however large it is."""
        lead = b""
        for section, place in zip(self._sections, self._places, strict=True):
            writer.put(lead + section.label)
            lead = b" "
            if place is None:
                writer.put(b" NIL")
            elif section.fields:
                header = self._fields(section, place)
                writer.put(b" {%d}\r\n%b" % (len(header), header))
            else:
                start, end = _within(section, place)
                writer.put(b" {%d}\r\n" % (end - start))
                for at in range(start, end, PIECE):
                    await writer.send(self._message.read(at, min(at + PIECE, end)))
            await turns.next()

    def _fields(self, section: FetchSection, place: _Place) -> bytes:
        start, end = place
        # Behind the limit no header has a field, here as everywhere; BODY[HEADER] gives it all.
        octets = self._read(start, min(end, start + MAX_HEADER))
        header = header_subset(octets, section.fields, section.fields_not)
        if section.partial is not None:
            origin, count = section.partial
            header = header[origin : origin + count]
        return header

    def _region(self, section: FetchSection, place: _Place) -> bytes:
        return self._read(*_within(section, place))

    def _read(self, start: int, end: int) -> bytes:
        if self._text is None:
            return self._message.read(start, end)
        return self._text[start - self._base : end - self._base]


def _within(section: FetchSection, place: _Place) -> _Place:
    start, end = place
    if section.partial is not None:
        # RFC 3501 §6.4.5: beyond the end there is an empty string, not an error.
        start = min(start + section.partial[0], end)
        end = min(start + section.partial[1], end)
    return start, end
