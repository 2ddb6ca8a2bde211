"""Sections out of their transfer encoding: BINARY and BINARY.SIZE of FETCH (RFC 3516, RFC 9051 §6.4.5)."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from postroad.imap.turns import Turns
from postroad.imap.wire.fetch_items import SectionText
from postroad.message.part import Part
from postroad.message.section import find_part
from postroad.message.transfer import decoded_as_read
from postroad.store.messages import StoredMessage

IDENTITY: Final = "binary"
_KNOWN: Final = frozenset(("7bit", "8bit", "binary", "base64", "quoted-printable"))


class UnknownEncoding(Exception):
    """A part is in an encoding that is not known here (RFC 3516 §4.3)."""


class Extent(NamedTuple):
    """What is known of a decoded section before it is sent."""

    size: int
    """Octets."""
    has_nul: bool
    """It can be sent as a literal8 only."""


def encoding_of(tree: Part, path: tuple[int, ...], text: SectionText) -> str:
    """Return the encoding that a section has to be taken out of.

    Headers have none, and neither has what has parts of its own (RFC 2045
    §6.4): whole messages and multiparts are given as they are.

    Raises:
        UnknownEncoding
    """
    part: Part | None = tree
    if path:
        part = find_part(tree, path)
    elif text == "":
        return IDENTITY
    if part is None or text in ("HEADER", "MIME"):
        return IDENTITY
    if path and text == "TEXT":
        part = part.embedded
    if part is None or part.children:
        return IDENTITY
    if part.encoding not in _KNOWN:
        raise UnknownEncoding(part.encoding)
    return part.encoding


class Decoded:
    """A section of a stored message, decoded as it is read: never whole in memory."""

    __slots__ = ("_encoding", "_message", "_partial", "_place")

    def __init__(
        self, message: StoredMessage, place: tuple[int, int], encoding: str, partial: tuple[int, int] | None
    ) -> None:
        """`partial` counts in decoded octets (RFC 3516 §4.2)."""
        self._message = message
        self._place = place
        self._encoding = encoding
        self._partial = partial

    async def extent(self, turns: Turns) -> Extent:
        """Decode it once to see what has to be announced."""
        size, has_nul = 0, False
        for piece in self.pieces():
            size += len(piece)
            has_nul = has_nul or b"\0" in piece
            await turns.next()
        return Extent(size, has_nul)

    def pieces(self) -> Iterator[bytes]:
        """Decode it piece by piece.

        Raises:
            Damaged: the message is not there to its last octet.
        """
        pieces = decoded_as_read(self._message.read, *self._place, self._encoding)
        return pieces if self._partial is None else cut(pieces, *self._partial)


def cut(pieces: Iterator[bytes], origin: int, count: int) -> Iterator[bytes]:
    """Give `count` octets from `origin` on of what the pieces make together."""
    for piece in pieces:
        if origin >= len(piece):
            origin -= len(piece)
            continue
        some = piece[origin : origin + count]
        origin = 0
        count -= len(some)
        yield some
        if not count:
            return
