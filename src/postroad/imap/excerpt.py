"""Octets of a stored message by section: what FETCH gives of it, to be put somewhere else."""

from collections.abc import Iterator
from typing import Final, TypeAlias

from postroad.imap.wire.fetch_items import FetchSection
from postroad.message.header import MAX_HEADER
from postroad.message.section import header_subset
from postroad.store.messages import StoredMessage

PIECE: Final = 128 * 1024
"""Octets read from a pack at a time."""

Place: TypeAlias = tuple[int, int]


class Excerpt:
    """A section of a stored message that is there."""

    __slots__ = ("_fields", "_message", "_place", "size")

    def __init__(self, message: StoredMessage, section: FetchSection, place: Place) -> None:
        """`place` is where the message has the section.

        Raises:
            Damaged: its header cannot be read.
        """
        self._message = message
        self._fields: bytes | None = None
        if section.fields:
            self._fields = subset(message.read(*header_within(place)), section)
            self._place = (0, len(self._fields))
        else:
            self._place = within(section, place)
        self.size = self._place[1] - self._place[0]

    def pieces(self) -> Iterator[bytes]:
        """Give its octets piece by piece.

        Raises:
            Damaged: the message is not there to its last octet.
        """
        if self._fields is not None:
            yield self._fields
            return
        start, end = self._place
        for at in range(start, end, PIECE):
            yield self._message.read(at, min(at + PIECE, end))


def header_within(place: Place) -> Place:
    """Cut a header where no header is looked at any more; BODY[HEADER] gives it all."""
    start, end = place
    return start, min(end, start + MAX_HEADER)


def subset(header: bytes, section: FetchSection) -> bytes:
    """Return HEADER.FIELDS or HEADER.FIELDS.NOT of a header (RFC 3501 §6.4.5)."""
    fields = header_subset(header, section.fields, section.fields_not)
    if section.partial is not None:
        origin, count = section.partial
        fields = fields[origin : origin + count]
    return fields


def within(section: FetchSection, place: Place) -> Place:
    """Return where the octets of a section begin and end that are asked for."""
    start, end = place
    if section.partial is not None:
        # RFC 3501 §6.4.5: beyond the end there is an empty string, not an error.
        start = min(start + section.partial[0], end)
        end = min(start + section.partial[1], end)
    return start, end
