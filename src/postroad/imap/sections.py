"""BODY[…], BINARY[…] and their kin: cut from the stored message, sent in pieces (RFC 3501 §6.4.5)."""

from collections.abc import Sequence
from typing import Final

from postroad.imap.decoding import IDENTITY, Decoded, Extent, encoding_of
from postroad.imap.excerpt import PIECE, Place, header_within, subset, within
from postroad.imap.turns import Turns
from postroad.imap.wire.core import ImapServerCore
from postroad.imap.wire.fetch_items import FetchSection, SectionForm
from postroad.message.transfer import decode
from postroad.net.connection import Connection
from postroad.store.messages import StoredMessage

# Members of an Enum are looked up once: each time takes longer than a call.
_STORED: Final = SectionForm.STORED
_DECODED: Final = SectionForm.DECODED
_DECODED_SIZE: Final = SectionForm.DECODED_SIZE
WRITE: Final = 64 * 1024
"""Octets that small answers are joined to before they are written."""


class Writer:
    """Joins what is small in the core and passes it on in pieces, never holding much."""

    __slots__ = ("_conn", "_core")

    def __init__(self, conn: Connection, core: ImapServerCore) -> None:
        self._conn = conn
        self._core = core

    def put(self, octets: bytes) -> None:
        """Take octets; they go out with the end of the command, or once `room` is asked for."""
        if octets:
            self._core.write(octets)

    def put_all(self, pieces: Sequence[bytes]) -> None:
        """Take pieces that follow one another; only once they go out are they joined."""
        self._core.write_all(pieces)

    @property
    def full(self) -> bool:
        """Whether there is enough to be written."""
        return self._core.unsent > WRITE

    async def room(self) -> None:
        """Write what there is, if it is enough, and wait for a client that does not read."""
        if self.full:
            await self._conn.send(b"")

    async def send(self, octets: bytes) -> None:
        """Write a large piece, without copying it unless it is to be compressed."""
        if self._core.compression is None:
            await self._conn.send(octets)
        else:
            self._core.write(octets)
            await self._conn.send(b"")


def entire(sections: Sequence[FetchSection]) -> bytes:
    """What a response calls a message as it is stored, where that is all that is asked for; else nothing."""
    if len(sections) != 1:
        return b""
    [section] = sections
    is_part = section.path or section.text or section.partial is not None
    return b"" if is_part or section.form is not _STORED else section.label


class Cuts:
    """The sections of one message that are to be sent, found before anything is said."""

    __slots__ = ("_base", "_encodings", "_message", "_places", "_sections", "_text")

    def __init__(self, message: StoredMessage, sections: Sequence[FetchSection]) -> None:
        """Find the sections, and read them where they are small.

        Raises:
            Damaged: the message is not there to its last octet.
            UnknownEncoding: of what is wanted decoded.
        """
        self._message = message
        self._sections = sections
        self._encodings = [
            IDENTITY if section.form is _STORED else encoding_of(message.parts(), section.path, section.text)
            for section in sections
        ]
        self._places = [message.section(section.path, section.text) for section in sections]
        there = [place for place in self._places if place is not None]
        self._base = min([start for start, _ in there], default=0)
        end = max([end for _, end in there], default=0)
        self._text: bytes | None = None
        if end - self._base <= PIECE:
            self._text = message.read(self._base, end)
        else:
            message.read(end - 1, end)

    def ready(self, head: bytes, end: bytes) -> bytes | None:
        """Return what is said of it, between `head` and `end`; None where large.

        That is `BODY[…] {n}` and the octets of each section, a space between.
        """
        if self._text is None:
            return None
        parts: list[bytes] = [head]
        for section, place, encoding in zip(self._sections, self._places, self._encodings, strict=True):
            parts.append(section.label)
            if place is None:
                parts += (_absent(section), b" ")
                continue
            octets = self._octets(section, place, encoding)
            is_binary = section.form is _DECODED and b"\0" in octets
            parts.append(_announced(section, Extent(len(octets), is_binary)))
            if section.form is not _DECODED_SIZE:
                parts.append(octets)
            parts.append(b" ")
        parts[-1] = end
        return b"".join(parts)

    async def send(self, writer: Writer, turns: Turns) -> None:
        """Send what `ready` gives, however large it is."""
        lead = b""
        for section, place, encoding in zip(self._sections, self._places, self._encodings, strict=True):
            writer.put(lead + section.label)
            lead = b" "
            if place is None:
                writer.put(_absent(section))
            elif section.fields:
                header = self._fields(section, place)
                writer.put(_announced(section, Extent(len(header), has_nul=False)) + header)
            elif section.form is _STORED:
                start, end = within(section, place)
                writer.put(b" {%d}\r\n" % (end - start))
                for at in range(start, end, PIECE):
                    await writer.send(self._message.read(at, min(at + PIECE, end)))
            else:
                await self._send_decoded(section, place, encoding, writer, turns)
            await turns.next()

    async def _send_decoded(
        self, section: FetchSection, place: Place, encoding: str, writer: Writer, turns: Turns
    ) -> None:
        """Decode twice: once for what has to be announced, once to be sent, and never hold the whole."""
        decoded = Decoded(self._message, place, encoding, section.partial)
        writer.put(_announced(section, await decoded.extent(turns)))
        if section.form is _DECODED:
            for piece in decoded.pieces():
                await writer.send(piece)
                await turns.next()

    def _octets(self, section: FetchSection, place: Place, encoding: str) -> bytes:
        """A small section as it is to be given."""
        if section.fields:
            return self._fields(section, place)
        if section.form is _STORED:
            return self._read(*within(section, place))
        octets = decode(self._read(*place), encoding)
        if section.partial is not None:
            origin, count = section.partial
            octets = octets[origin : origin + count]
        return octets

    def _fields(self, section: FetchSection, place: Place) -> bytes:
        return subset(self._read(*header_within(place)), section)

    def _read(self, start: int, end: int) -> bytes:
        if self._text is None:
            return self._message.read(start, end)
        return self._text[start - self._base : end - self._base]


def _announced(section: FetchSection, extent: Extent) -> bytes:
    """What stands between the name of a section and its octets."""
    if section.form is _DECODED_SIZE:
        return b" %d" % extent.size
    # RFC 3516 §4.3: so that a client sees from the literal whether there are NULs.
    return (b" ~{%d}\r\n" if extent.has_nul else b" {%d}\r\n") % extent.size


def _absent(section: FetchSection) -> bytes:
    """What a message says that has no such section; what is NIL has no octets (RFC 3516 §4.3)."""
    return b" 0" if section.form is _DECODED_SIZE else b" NIL"
