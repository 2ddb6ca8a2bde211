"""Bodies decoded: for searching, for clients that cannot decode, for the index of words."""

import re
from collections.abc import Iterator
from typing import Final

from postroad.message.charset import decode_text
from postroad.message.encoded_word import decode_header
from postroad.message.header import HeaderBlock
from postroad.message.octets import Octets
from postroad.message.part import Part
from postroad.message.preview import strip_tags
from postroad.message.transfer import decoded_pieces

_READABLE: Final = frozenset(("text", "message"))
"""Of messages those that have no message inside: what became of a delivery, where a body is to be had."""
MAX_SEARCHED: Final = 16 * 1024 * 1024
MAX_DECODED: Final = 64 * 1024 * 1024
# The parameter in a packed tree: in MessagePack \xc4 and a length stand in front of octets.
_TRANSPARENT: Final = re.compile(rb"\xc4\x07charset\xc4(?:\x05utf-8|\x08us-ascii|\x0aiso-8859-1)")


def walk(tree: Part) -> Iterator[Part]:
    """Go over all parts in the order of the message, messages inside of messages too."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        yield part
        waiting.extend(reversed(part.children))


def iter_decoded(data: Octets, part: Part) -> Iterator[bytes]:
    """Undo the transfer encoding of a part, in pieces of at most 64 KiB or so."""
    return decoded_pieces(data, part.body_start, part.body_end, part.encoding)


def decode_body(data: Octets, part: Part, limit: int = MAX_DECODED) -> bytes:
    """Undo the transfer encoding of a part; what is over the limit is cut off."""
    pieces: list[bytes] = []
    room = limit
    for piece in iter_decoded(data, part):
        pieces.append(piece[:room])
        room -= len(piece)
        if room <= 0:
            break
    return b"".join(pieces)


def decode_body_text(data: Octets, part: Part, limit: int = MAX_DECODED) -> str:
    """Return the text of a part as its charset says, or as it looks."""
    return decode_text(decode_body(data, part, limit), part.charset)


def decoded_text_parts(data: Octets, tree: Part, budget: int = MAX_SEARCHED) -> Iterator[str]:
    """Yield the text of each text part, and of the headers of messages inside.

    It is what SEARCH BODY looks at (RFC 9051 §6.4.4); `budget` bounds the
    octets that are decoded for one message.
    """
    return _texts(data, tree, budget, mime_headers=False)


def search_text(data: Octets, tree: Part, budget: int = MAX_SEARCHED) -> Iterator[str]:
    """Yield what SEARCH TEXT looks at beside the header of the message: its body, and MIME headers in there.

    RFC 9051 §6.4.4: "including MIME header fields". Names of files are there as they are written and as
    they are read.
    """
    return _texts(data, tree, budget, mime_headers=True)


def _texts(data: Octets, tree: Part, budget: int, *, mime_headers: bool) -> Iterator[str]:
    for part in walk(tree):
        if budget <= 0:
            return
        text = ""
        if part.embedded is not None:
            text = header_text(data, part.embedded)
            budget -= len(text)
        elif part.type in _READABLE:
            octets = decode_body(data, part, budget)
            budget -= len(octets)
            text = decode_text(octets, part.charset)
        if text:
            yield text
        if mime_headers and part.is_multipart:
            for child in part.children:
                text = f"{header_text(data, child)}\n{child.filename or ''}"
                budget -= len(text)
                yield text


def is_plain(packed: bytes) -> bool:
    """Tell from a packed tree that each text part, as far as it is ASCII, is text as it stands.

    Then what `decoded_text_parts` yields of a message of ASCII octets stands in it, letter by
    letter. Words that occur in the tree for other reasons only cost a second look.
    """
    packed = packed.lower()
    if b"base64" in packed or b"quoted-printable" in packed or b"message" in packed:
        return False
    return packed.count(b"charset") == len(_TRANSPARENT.findall(packed))


def header_text(data: Octets, part: Part) -> str:
    """Return the header of a part with its encoded words undone, one field a line."""
    block = HeaderBlock.parse(data, part.header_start, part.body_start)
    return "\n".join(
        f"{field.name.decode('latin-1')}: {decode_header(block.value(field))}" for field in block.fields
    )


def readable_text(data: Octets, tree: Part, budget: int = MAX_SEARCHED) -> Iterator[str]:
    """Yield what a reader sees: as `decoded_text_parts`, with HTML without its tags."""
    for part in walk(tree):
        if budget <= 0:
            return
        if part.type == "text":
            octets = decode_body(data, part, budget)
            budget -= len(octets)
            text = decode_text(octets, part.charset)
            yield strip_tags(text, len(text)) if part.subtype == "html" else text
