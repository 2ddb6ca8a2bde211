"""Content-Transfer-Encoding undone, leniently and in pieces (RFC 2045 §6)."""

import binascii
import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from postroad.message.octets import Octets

Read: TypeAlias = Callable[[int, int], bytes]
"""Gives the octets from one offset to another."""

_LINE: Final = 57
"""Octets of a line of Base64, which is 76 characters then (RFC 2045 §6.8)."""
_PIECE: Final = 64 * 1024
_DIGITS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_FOREIGN: Final = bytes(octet for octet in range(256) if octet not in _DIGITS + b"=")
# Groups of four digits; a padding character in front of the third digit pads nothing.
_GROUPS: Final = re.compile(rb"(?:=*+[^=]=*+[^=]{3})*")
# RFC 2045 §6.7 (3): blanks at the end of a line came on the way, behind a soft line break too.
_PADDING: Final = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")
# As much as ends with no escape, or with a whole one.
_UNCUT: Final = re.compile(rb".*(?:[^=]{3}|[^=]=[0-9A-Fa-f]{2})", re.DOTALL)


def decode_base64(octets: bytes) -> bytes:
    """Decode Base64 as far as it makes sense; foreign characters are skipped (RFC 2045 §6.8)."""
    return b"".join(_base64_pieces(_reading(octets), 0, len(octets)))


def decode_quoted_printable(octets: bytes) -> bytes:
    """Decode quoted-printable; what is no escape stays as it is (RFC 2045 §6.7)."""
    return binascii.a2b_qp(_PADDING.sub(b"", octets))


def decode(octets: bytes, encoding: str) -> bytes:
    """Decode octets by the name of their encoding; an unknown one changes nothing."""
    if encoding == "base64":
        return decode_base64(octets)
    if encoding == "quoted-printable":
        return decode_quoted_printable(octets)
    return octets


def decoded_pieces(data: Octets, start: int, end: int, encoding: str) -> Iterator[bytes]:
    """Decode data[start:end] piece by piece, each of at most 64 KiB or so.

    The pieces joined are what decoding the whole at once would give, also
    where a cut falls into an escape or a group of four digits.
    """
    return decoded_as_read(_reading(data), start, end, encoding)


def decoded_as_read(read: Read, start: int, end: int, encoding: str) -> Iterator[bytes]:
    """Decode likewise what is not in memory."""
    if encoding == "base64":
        return _base64_pieces(read, start, end)
    if encoding == "quoted-printable":
        return _quoted_pieces(read, start, end)
    return (read(at, min(at + _PIECE, end)) for at in range(start, end, _PIECE))


def encoded_base64(data: Octets, start: int, end: int) -> Iterator[bytes]:
    """Write data[start:end] as lines of Base64, piece by piece; the last line has no end."""
    step = _LINE * 1024
    for at in range(start, end, step):
        piece = data[at : min(at + step, end)]
        lines = [
            binascii.b2a_base64(piece[n : n + _LINE], newline=False) for n in range(0, len(piece), _LINE)
        ]
        yield b"\r\n".join(lines) + (b"\r\n" if at + step < end else b"")


def base64_body(data: Octets, start: int, end: int) -> Iterator[bytes]:
    """Write the body of a part as Base64: its last line has no end unless nothing follows it."""
    yield from encoded_base64(data, start, end)
    if start < end == len(data):
        yield b"\r\n"


def quoted_printable_body(data: Octets, start: int, end: int) -> Iterator[bytes]:
    """Write lines of text in data[start:end] as quoted-printable, piece by piece (RFC 2045 §6.7)."""
    while start < end:
        piece = data[start : min(start + _PIECE, end)]
        if start + len(piece) < end:
            # Cut behind a line; a line that is longer than that goes on behind a soft line break.
            piece = piece[: piece.rfind(b"\n") + 1] or piece.rstrip(b"\r") or piece
        start += len(piece)
        # The line end in front has soft line breaks written as CR LF, whatever the piece begins with.
        yield binascii.b2a_qp(b"\r\n" + piece)[2:]
        if start < end and not piece.endswith(b"\n"):
            yield b"=\r\n"


def _reading(data: Octets) -> Read:
    return lambda start, end: data[start:end]


def _base64_pieces(read: Read, start: int, end: int) -> Iterator[bytes]:
    held = b""
    for at in range(start, end, _PIECE):
        digits = held + read(at, min(at + _PIECE, end)).translate(None, _FOREIGN)
        if b"=" in digits:
            match = _GROUPS.match(digits)
            whole = match.end() if match else 0
            groups = digits[:whole].replace(b"=", b"")
            rest = digits[whole:].lstrip(b"=")
            held, padding, _ = (rest[:1] + rest[1:].lstrip(b"=")).partition(b"=")
        else:
            whole = len(digits) // 4 * 4
            groups, held, padding = digits[:whole], digits[whole:], b""
        if groups:
            yield binascii.a2b_base64(groups)
        if padding:  # RFC 2045 §6.8: it is the end of the data
            break
    if len(held) > 1:
        yield binascii.a2b_base64(held + b"=" * (4 - len(held)))


def _quoted_pieces(read: Read, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        stop = min(start + _PIECE, end)
        piece = read(start, stop)
        if stop < end:  # cut behind a line, or else where no escape or padding is in the way
            cut = piece.rfind(b"\n") + 1
            if not cut:
                match = _UNCUT.match(piece)
                cut = match.end() if match else len(piece)
                cut = len(piece[:cut].rstrip(b"= \t")) or cut
            piece = piece[:cut]
        start += len(piece)
        yield binascii.a2b_qp(_PADDING.sub(b"", piece))
