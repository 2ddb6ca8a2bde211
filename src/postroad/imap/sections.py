"""BODY[…] and its kin: cut from the stored message and sent in pieces (RFC 3501 §6.4.5)."""

from collections.abc import Sequence
from typing import Final

from postroad.imap.turns import Turns
from postroad.imap.wire.fetch_items import FetchSection
from postroad.message.header import MAX_HEADER
from postroad.message.section import header_subset
from postroad.net.connection import Connection
from postroad.store.messages import StoredMessage

PIECE: Final = 256 * 1024
"""Octets read from a pack at a time."""
WRITE: Final = 64 * 1024
"""Octets that small answers are joined to before they are written."""


class Writer:
    """Joins what is small and passes it on in pieces, never holding much."""

    __slots__ = ("_conn", "_held", "_patience", "_size")

    def __init__(self, conn: Connection, patience: float) -> None:
        """`patience` is how long the client may leave unread what it is sent."""
        self._conn = conn
        self._patience = patience
        self._held: list[bytes] = []
        self._size = 0

    async def write(self, octets: bytes) -> None:
        """Take octets; they go out once there are enough of them."""
        self._held.append(octets)
        self._size += len(octets)
        if self._size > WRITE:
            await self.flush()

    async def flush(self) -> None:
        """Send what is held."""
        if self._held:
            octets = b"".join(self._held)
            self._held.clear()
            self._size = 0
            await self._conn.send(octets, self._patience)


class Cuts:
    """The sections of one message that are to be sent, found before anything is said."""

    __slots__ = ("_message", "_places", "_sections")

    def __init__(self, message: StoredMessage, sections: Sequence[FetchSection]) -> None:
        """Find the sections.

        Raises:
            Damaged: the message is not there to its last octet.
        """
        self._message = message
        self._sections = sections
        self._places = [message.section(section.path, section.text) for section in sections]
        end = max([place[1] for place in self._places if place is not None], default=0)
        message.read(max(end - 1, 0), end)

    async def send(self, writer: Writer, turns: Turns) -> None:
        """Send `BODY[…] {n}` and the octets of each section, a space between two."""
        lead = b""
        for section, place in zip(self._sections, self._places, strict=True):
            await writer.write(lead + section.label)
            lead = b" "
            if place is None:
                await writer.write(b" NIL")
            elif section.fields:
                await self._send_fields(writer, section, *place)
            else:
                await self._send_region(writer, section.partial, *place)
            await turns.next()

    async def _send_fields(self, writer: Writer, section: FetchSection, start: int, end: int) -> None:
        # Behind the limit no header has a field, here as everywhere; BODY[HEADER] gives it all.
        octets = self._message.read(start, min(end, start + MAX_HEADER))
        header = header_subset(octets, section.fields, section.fields_not)
        if section.partial is not None:
            origin, count = section.partial
            header = header[origin : origin + count]
        await writer.write(b" {%d}\r\n%b" % (len(header), header))

    async def _send_region(
        self, writer: Writer, partial: tuple[int, int] | None, start: int, end: int
    ) -> None:
        if partial is not None:
            # RFC 3501 §6.4.5: beyond the end there is an empty string, not an error.
            start = min(start + partial[0], end)
            end = min(start + partial[1], end)
        await writer.write(b" {%d}\r\n" % (end - start))
        while start < end:
            stop = min(start + PIECE, end)
            await writer.write(self._message.read(start, stop))
            start = stop
