"""Content-Transfer-Encoding undone, leniently and in pieces (RFC 2045 §6)."""

import binascii
import re
from collections.abc import Iterator
from typing import Final

from postroad.message.octets import Octets

_PIECE: Final = 64 * 1024
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/]+")


def decode_base64(octets: bytes) -> bytes:
    """Decode Base64 as far as it makes sense; foreign characters are skipped (RFC 2045 §6.8)."""
    try:
        return binascii.a2b_base64(octets)
    except binascii.Error:
        digits = _NOT_BASE64.sub(b"", octets)
        if len(digits) % 4 == 1:
            digits = digits[:-1]
        return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))


def decode_quoted_printable(octets: bytes) -> bytes:
    """Decode quoted-printable; what is no escape stays as it is (RFC 2045 §6.7)."""
    return binascii.a2b_qp(octets)


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
    if encoding == "base64":
        yield from _base64_pieces(data, start, end)
        return
    if encoding == "quoted-printable":
        yield from _quoted_pieces(data, start, end)
        return
    for at in range(start, end, _PIECE):
        yield data[at : min(at + _PIECE, end)]


def _base64_pieces(data: Octets, start: int, end: int) -> Iterator[bytes]:
    held = b""
    for at in range(start, end, _PIECE):
        piece = data[at : min(at + _PIECE, end)]
        text, padding, _ = piece.partition(b"=")
        digits = held + _NOT_BASE64.sub(b"", text)
        if padding:  # RFC 2045 §6.8: the padding is the end of the data
            yield decode_base64(digits)
            return
        whole = len(digits) // 4 * 4
        held = digits[whole:]
        if whole:
            yield binascii.a2b_base64(digits[:whole])
    if held:
        yield decode_base64(held)


def _quoted_pieces(data: Octets, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        stop = min(start + _PIECE, end)
        piece = data[start:stop]
        if stop < end:  # cut behind a line, or else in front of an escape
            cut = piece.rfind(b"\n") + 1
            if not cut:
                escape = piece.rfind(b"=", len(piece) - 3)
                cut = escape if escape > 0 else len(piece)
            piece = piece[:cut]
        yield binascii.a2b_qp(piece)
        start += len(piece)
