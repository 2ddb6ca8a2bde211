"""Canonical forms of header fields and bodies (RFC 6376 §3.4).

Bodies go through in pieces, each handled by `replace` and `find`; no piece is
larger than a quarter of a megabyte and no loop runs over lines or octets.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Final

from postroad.model.octets import Octets

_PIECE: Final = 256 * 1024
_FIRST_LOOK: Final = 1024
"""Octets in which the end of nearly every body is found."""
# To "simple" a space is content like any other.
_SPACES_ARE_CONTENT: Final = bytes.maketrans(b" \t", b"xx")


class Canonical(Enum):
    """The two ways of canonicalisation."""

    SIMPLE = "simple"
    RELAXED = "relaxed"


def canonical_field(way: Canonical, name_lower: bytes, raw: bytes, value_at: int) -> bytes:
    """Return a whole field in canonical form, ending with CRLF.

    `raw` is the field as it stands, `value_at` the offset behind its colon.
    """
    if way is Canonical.SIMPLE:
        return raw if raw.endswith(b"\r\n") else raw + b"\r\n"
    return b"%b:%b\r\n" % (name_lower, _one_space(raw[value_at:].replace(b"\r\n", b"")).strip(b" "))


def canonical_body(way: Canonical, data: Octets, start: int) -> Iterator[bytes]:
    """Yield the canonical form of data[start:], piece by piece."""
    end = _content_end(way, data, start)
    if way is Canonical.SIMPLE:
        for at in range(start, end, _PIECE):
            yield data[at : min(at + _PIECE, end)]
        yield b"\r\n"  # RFC 6376 §3.4.3: an empty body too is one CRLF
        return
    kept = b""
    for at in range(start, end, _PIECE):
        piece = _one_space(kept + data[at : min(at + _PIECE, end)])
        # A space, and a CR behind it, may belong to a line end that the next piece has.
        stop = len(piece) - piece.endswith(b"\r")
        if stop and piece[stop - 1] == 0x20:
            stop -= 1
        kept = piece[stop:]
        yield piece[:stop].replace(b" \r\n", b"\r\n")
    if end > start:
        yield kept + b"\r\n"  # what is kept is a bare CR at most, for content ends there


def _one_space(octets: bytes) -> bytes:
    """Reduce every run of spaces and tabs to one space; the runs halve at each turn."""
    if b"\t" in octets:
        octets = octets.replace(b"\t", b" ")
    while b"  " in octets:
        octets = octets.replace(b"  ", b" ")
    return octets


def _content_end(way: Canonical, data: Octets, start: int) -> int:
    """Return the offset behind the last octet that is not part of an empty line at the end.

    The spaces at the end of the last line belong to its content in the simple form alone.
    """
    high, size = len(data), _FIRST_LOOK
    while high > start:
        low = max(start, high - size)
        if low > start and data[low - 1 : low + 1] == b"\r\n":
            low -= 1  # no piece begins between CR and LF
        piece = data[low:high]
        if way is Canonical.SIMPLE:
            piece = piece.translate(_SPACES_ARE_CONTENT)
        # Line ends look like spaces now; a bare CR or LF is content.
        content = len(piece.replace(b"\r\n", b"  ").rstrip(b" \t"))
        if content:
            return low + content
        high, size = low, _PIECE
    return start
