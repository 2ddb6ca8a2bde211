"""A message made fit for a way that carries 7 bits alone (RFC 6152 §3, RFC 2045 §6).

Each part with 8-bit octets is put into quoted-printable or base64 by itself,
through multiparts and messages inside messages, which are never encoded as a
whole (RFC 2045 §6.4, RFC 2046 §5.2.1). No octet of a content is lost, and no
encoding is put around another one.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import Final, NoReturn

from postroad.message.edit import Edit, edited
from postroad.message.header import HeaderBlock
from postroad.message.octets import Octets
from postroad.message.part import Part, boundary_of, parse_parts
from postroad.message.text import walk
from postroad.message.transfer import (
    base64_body,
    decode_quoted_printable,
    quoted_printable_body,
)
from postroad.message.unbinary import is_lines

_PIECE: Final = 64 * 1024
_FIELD: Final = b"content-transfer-encoding"
_IDENTITY: Final = frozenset(("7bit", "8bit", "binary"))
_HIGH: Final = bytes(range(128, 256))
_DASHES: Final = re.compile(rb"(?m)^--[^\n]*[\x80-\xff]")
_STARS: Final = bytes(octet if octet < 128 else ord("*") for octet in range(256))
"""Stars mean nothing in base64 and are in no boundary (RFC 2046 §5.1.1)."""
_LARGEST_BROKEN: Final = 1024 * 1024
"""Octets of what has to be in memory to be mended."""
_QUOTED_BELOW: Final = 6
"""Text with fewer than one in so many 8-bit octets is shorter in quoted-printable than in base64."""


class Inconvertible(Exception):
    """It cannot be done without loss, or must not; the reason is for its sender."""


def seven_bit(data: Octets) -> Iterator[bytes]:
    """Give the message in pieces, of ASCII alone and nothing labelled 8bit or binary that is sent so.

    Raises:
        Inconvertible: at once, before there are pieces.
    """
    return edited(data, list(_edits(data)))


def _edits(data: Octets) -> Iterator[Edit]:
    root = parse_parts(data)
    boundaries = [found for part in walk(root) if part.is_multipart and (found := boundary_of(part.params))]
    waiting = [(root, True)]
    while waiting:
        part, is_message = waiting.pop()
        eight_bit = _count_high(data, part.body_start, part.body_end) > 0
        _check_header(data[part.header_start : part.body_start], is_message, eight_bit)
        if (part.type, part.subtype) == ("multipart", "signed"):
            if eight_bit:
                # RFC 1847 §2.1: nobody on the way may change its encoding.
                _no("a part that is signed has 8-bit octets, and must not be changed")
            continue
        if not part.children or _may_be_encoded_whole(part):
            yield from _leaf(data, part, is_message, eight_bit, boundaries)
            continue
        waiting += [(child, not part.is_multipart) for child in part.children]
        if part.is_multipart:
            yield from _between(data, part)
        if part.encoding in ("8bit", "binary"):
            yield from _labelled(data, part, b"7bit")


def _check_header(header: bytes, is_message: bool, eight_bit: bool) -> None:
    if not header.isascii():
        _no("a header has 8-bit octets" if is_message else "the header of a part has 8-bit octets")
    if eight_bit and header != b"\r\n" and not header.endswith(b"\r\n\r\n"):
        # Or a line that is no field, for its 8-bit octets, would be one behind a conversion.
        _no("a part with 8-bit octets has no header with an end that could say how it is encoded")


def _no(reason: str) -> NoReturn:
    raise Inconvertible(reason)


def _leaf(
    data: Octets, part: Part, is_message: bool, eight_bit: bool, boundaries: Sequence[bytes]
) -> Iterator[Edit]:
    start, end = part.body_start, part.body_end
    if not eight_bit:
        if part.encoding == "binary" and not is_lines(data, part):
            yield from _labelled(data, part, b"base64")
            yield Edit(start, end, base64_body(data, start, end))
        elif part.encoding in ("8bit", "binary"):
            yield from _labelled(data, part, b"7bit")
        return
    if part.type == "message" and not _may_be_encoded_whole(part):
        _no(f"a part of type message/{part.subtype} has 8-bit octets")
    if part.encoding == "base64":
        # RFC 2045 §6.8: they mean nothing.
        yield Edit(start, end, (piece.translate(_STARS) for piece in _pieces(data, start, end)))
    elif part.encoding == "quoted-printable":
        if end - start > _LARGEST_BROKEN:
            _no("a large part has 8-bit octets in quoted-printable")
        octets = decode_quoted_printable(data[start:end])
        clean = _clean_ends(octets, 0, len(octets))
        legible = clean and _may_be_quoted(octets, 0, len(octets), boundaries)
        write = quoted_printable_body if legible else base64_body
        yield from _labelled(data, part, b"quoted-printable" if legible else b"base64")
        yield Edit(start, end, write(octets, 0, len(octets)))
    elif part.encoding in _IDENTITY:
        legible = _is_legible(data, part) and _may_be_quoted(data, start, end, boundaries)
        write = quoted_printable_body if legible else base64_body
        label = b"quoted-printable" if legible else b"base64"
        yield from _labelled(data, part, label, _completing(data, part) if is_message else b"")
        yield Edit(start, end, write(data, start, end))
    else:
        _no(f"a part has 8-bit octets in an encoding that is not known ({part.encoding[:40]})")


def _may_be_encoded_whole(part: Part) -> bool:
    """What RFC 6532 §3.7 and RFC 6533 have added may, other kinds of messages may not (RFC 2045 §6.4)."""
    return part.type == "message" and part.subtype.startswith("global")


def _is_legible(data: Octets, part: Part) -> bool:
    """Whether it is text that people could read in quoted-printable, where little of it is beyond ASCII."""
    start, end = part.body_start, part.body_end
    few = _count_high(data, start, end) * _QUOTED_BELOW < end - start
    return few and part.type == "text" and _clean_ends(data, start, end)


def _may_be_quoted(data: Octets, start: int, end: int, boundaries: Sequence[bytes]) -> bool:
    """Whether no line of it becomes a delimiter, which a soft line break or an escape could make of it."""
    delimiters = [b"\n--" + boundary for boundary in boundaries]
    pieces = quoted_printable_body(data, start, end) if delimiters else iter(())
    return not any(delimiter in b"\n" + piece for piece in pieces for delimiter in delimiters)


def _labelled(data: Octets, part: Part, encoding: bytes, more: bytes = b"") -> Iterator[Edit]:
    """The part says that it is in `encoding`; `more` fields stand behind the others."""
    block = HeaderBlock.parse(data, part.header_start, part.body_start)
    fields = [field for field in block.fields if field.name_lower == _FIELD]
    if len(fields) > 1:
        _no("a part names several encodings")
    if fields:
        yield Edit(fields[0].value_start, fields[0].end, [b" " + encoding + b"\r\n"])
    else:
        more += b"Content-Transfer-Encoding: " + encoding + b"\r\n"
    if more:
        behind = part.body_start - 2
        yield Edit(behind, behind, [more])


def _completing(data: Octets, part: Part) -> bytes:
    """What makes a message from before MIME one of MIME (RFC 2045 §4)."""
    block = HeaderBlock.parse(data, part.header_start, part.body_start)
    more = b"" if block.first(b"mime-version") is not None else b"MIME-Version: 1.0\r\n"
    if block.first(b"content-type") is None:
        charset = (
            b"utf-8" if _is_utf8(data, part.body_start, part.body_end) else b"unknown-8bit"
        )  # RFC 1428 §3
        more += b"Content-Type: text/plain; charset=" + charset + b"\r\n"
    return more


def _between(data: Octets, part: Part) -> Iterator[Edit]:
    """What stands before, between and behind the parts is for nobody to read (RFC 2046 §5.1.1)."""
    at = part.body_start
    for start, end in [
        *((child.header_start, child.body_end) for child in part.children),
        (part.body_end, 0),
    ]:
        if _count_high(data, at, start):
            if start - at > _LARGEST_BROKEN:
                _no("much stands between the parts that nobody reads, with 8-bit octets")
            text = data[at:start]
            if _DASHES.search(text):
                _no("the boundary of a multipart has 8-bit octets")
            yield Edit(at, start, [text.translate(_STARS)])
        at = end


def _pieces(data: Octets, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, _PIECE):
        yield data[at : min(at + _PIECE, end)]


def _count_high(data: Octets, start: int, end: int) -> int:
    count = 0
    for piece in _pieces(data, start, end):
        if not piece.isascii():
            count += len(piece) - len(piece.translate(None, _HIGH))
    return count


def _clean_ends(data: Octets, start: int, end: int) -> bool:
    """Whether every CR and LF is one of a line end."""
    ends = carriage_returns = line_feeds = 0
    last = b""
    for piece in _pieces(data, start, end):
        ends += piece.count(b"\r\n") + (last == b"\r" and piece.startswith(b"\n"))
        carriage_returns += piece.count(b"\r")
        line_feeds += piece.count(b"\n")
        last = piece[-1:]
    return ends == carriage_returns == line_feeds


def _is_utf8(data: Octets, start: int, end: int) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _pieces(data, start, end):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
