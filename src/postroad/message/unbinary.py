"""Binary parts of a message put into base64, so that it is made of lines (RFC 3030 §3, RFC 2045 §6).

A message that came as BINARYMIME is filed and sent on like any other then. Every
octet of its content stays; the order of parts and all other fields do too.
"""

from collections.abc import Iterator
from typing import Final

from postroad.message.edit import Edit, edited
from postroad.message.header import HeaderBlock
from postroad.message.octets import Octets
from postroad.message.part import Part, parse_parts
from postroad.message.transfer import base64_body

LONGEST_LINE: Final = 998  # RFC 5322 §2.1.1
_LARGEST_TEXT: Final = 1024 * 1024
"""Text beyond this is put into base64 without a look."""
_FIELD: Final = b"content-transfer-encoding"


def without_binary(data: Octets) -> Iterator[bytes]:
    """Give the message in pieces, no part of it labelled binary any more.

    Parts are believed what they say of themselves: one that says 8bit and is
    not made of lines stays as it is, and so does a header that is none.
    """
    return edited(data, list(_edits(data)))


def _edits(data: Octets) -> Iterator[Edit]:
    waiting = [parse_parts(data)]
    while waiting:
        part = waiting.pop()
        waiting += part.children
        if part.encoding == "binary" and part.header_start < part.body_start:
            yield from _relabelled(data, part)


def _relabelled(data: Octets, part: Part) -> Iterator[Edit]:
    fields = HeaderBlock.parse(data, part.header_start, part.body_start).fields
    field = next((field for field in fields if field.name_lower == _FIELD), None)
    if field is None:
        return
    # RFC 2046 §5.2.1, RFC 2045 §6.4: messages and multiparts are never encoded as a whole.
    encodes = not part.children and part.type != "message" and not is_lines(data, part)
    label = b" base64\r\n" if encodes else b" 8bit\r\n"
    yield Edit(field.value_start, field.end, [label])
    if encodes:
        yield Edit(part.body_start, part.body_end, base64_body(data, part.body_start, part.body_end))


def is_lines(data: Octets, part: Part) -> bool:
    """Whether text is made of lines that may pass as they are."""
    if part.type != "text" or part.body_end - part.body_start > _LARGEST_TEXT:
        return False
    body = data[part.body_start : part.body_end]
    ends = body.count(b"\r\n")
    if b"\0" in body or not ends == body.count(b"\r") == body.count(b"\n"):
        return False
    return max(map(len, body.split(b"\r\n"))) <= LONGEST_LINE
