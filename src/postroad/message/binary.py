"""Parts with NULs, which IMAP cannot show as they are, brought into base64 (RFC 3516 §4.4, §6)."""

import re
from collections.abc import Iterator
from typing import Final

from postroad.message.header import each_field
from postroad.message.octets import Octets, find
from postroad.message.part import parse_parts
from postroad.message.text import walk
from postroad.message.transfer import encoded_base64

_PIECE: Final = 64 * 1024
_IDENTITY: Final = frozenset(("7bit", "8bit", "binary"))
_BASE64: Final = b"Content-Transfer-Encoding: base64\r\n"
_MIME: Final = b"MIME-Version: 1.0\r\n"
_EMPTY_LINE: Final = re.compile(rb"\r?\n\Z")


class MisplacedNul(Exception):
    """A NUL stands where no transfer encoding can take it in."""


def without_nuls(data: Octets) -> Iterator[bytes]:
    """Give a message piece by piece, with each part that holds NULs in base64; all else as it is.

    Raises:
        MisplacedNul: there are NULs in a header, between parts, or in a part whose encoding has none.
    """
    at = 0
    root = parse_parts(data)
    for part in walk(root):
        if part.children or find(data, b"\0", part.body_start, part.body_end) < 0:
            continue
        if part.encoding not in _IDENTITY or part.header_start == part.body_start:
            raise MisplacedNul
        yield from _plain(data, at, part.header_start)
        yield _encoded_header(data[part.header_start : part.body_start], part is root)
        yield from encoded_base64(data, part.body_start, part.body_end)
        at = part.body_end
    yield from _plain(data, at, len(data))


def _plain(data: Octets, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, _PIECE):
        piece = data[at : min(at + _PIECE, end)]
        if b"\0" in piece:
            raise MisplacedNul
        yield piece


def _encoded_header(header: bytes, is_root: bool) -> bytes:
    """The same header, naming base64 for whatever encoding it named."""
    kept: list[bytes] = []
    at = 0
    names: set[bytes] = set()
    for name, start, end in each_field(header):
        names.add(name)
        if name == b"content-transfer-encoding":
            kept.append(header[at:start])
            at = end
    kept.append(_EMPTY_LINE.sub(b"", header[at:]))
    if is_root and b"mime-version" not in names:
        kept.append(_MIME)  # RFC 2045 §4: without it the other would mean nothing
    text = b"".join([*kept, _BASE64, b"\r\n"])
    if b"\0" in text:
        raise MisplacedNul
    return text
