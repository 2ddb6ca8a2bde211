"""Taking out what a stranger wrote in our name (RFC 8601 §5)."""

from typing import Final

from postroad.mailauth.authres.read import mentions, names_server
from postroad.message.header import each_field

_NAME: Final = b"authentication-results"
_READ: Final = 10
"""Fields with our name that are read to see what they mean by it; whoever writes more of them forges."""


def forged_fields(header: bytes, servers: frozenset[str]) -> list[tuple[int, int]]:
    """Where fields stand that claim to be by one of `servers` (in lower case); offsets into `header`."""
    if _NAME not in header.lower():
        return []
    found = []
    claims = 0
    for name, start, end in each_field(header):
        if name != _NAME:
            continue
        value = header[start:end].partition(b":")[2]
        if mentions(value, servers):
            claims += 1
            if claims > _READ or names_server(value, servers):
                found.append((start, end))
    return found


def without(header: bytes, places: list[tuple[int, int]]) -> bytes:
    """The header without these places, which are in order."""
    kept, at = [], 0
    for start, end in places:
        kept.append(header[at:start])
        at = end
    return b"".join([*kept, header[at:]])
