"""Comments in structured fields (RFC 5322 §3.2.2): nested to any depth, read without recursion."""

import re
from typing import Final

_EDGE: Final = re.compile(rb"\\.|[()]", re.DOTALL)
_START: Final = re.compile(rb"\"(?:[^\"\\]++|\\.)*(?:\"|\\?\Z)|\\.|\(", re.DOTALL)


def comment_end(value: bytes, at: int) -> int:
    """Return the offset of the parenthesis that closes the comment whose text starts at `at`.

    For a comment that is never closed it is the length of the value.
    """
    depth = 1
    for match in _EDGE.finditer(value, at):
        edge = match[0]
        depth += (edge == b"(") - (edge == b")")
        if not depth:
            return match.start()
    return len(value)


def strip_comments(value: bytes) -> bytes:
    """Put a space in place of each comment that is not in a quoted string."""
    kept: list[bytes] = []
    begin = at = 0
    while (match := _START.search(value, at)) is not None:
        at = match.end()
        if match[0] == b"(":
            kept.append(value[begin : at - 1])
            begin = at = comment_end(value, at) + 1
    kept.append(value[begin:])
    return b" ".join(kept)
