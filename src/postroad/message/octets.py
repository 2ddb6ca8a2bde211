"""Octets: the raw message that every parser here reads by offsets.

A small message is `bytes`, a large one arrives as a mapped file. Both can be
sliced and searched; what only `bytes` can do quickly is done here piece by
piece, so that no body is ever copied whole.
"""

from typing import Final

from postroad.model.octets import Octets

__all__ = ["Octets", "count_lines", "find"]

# A piece that stays in the second-level cache while it is searched.
_PIECE: Final = 1 << 18
_FIRST: Final = 1 << 12
"""Octets that are searched first, for what is looked for is near as a rule; then twice as many, and so on."""
_COUNTED: Final = 1 << 14
_LOOK: Final = 256
_SHORT: Final = 16
"""Octets; where lines are shorter than that at the mean, C counts quicker octet by octet."""


def find(data: Octets, needle: bytes, start: int, end: int) -> int:
    """Return the first offset of `needle` in data[start:end], or -1."""
    if isinstance(data, bytes):
        return data.find(needle, start, end)
    # mmap.find looks at the octet behind the end before Python 3.11.4 (CPython gh-105235). Where a
    # map fills its last page there may be none, and the process ends by SIGSEGV.
    overlap = len(needle) - 1
    size = _FIRST
    while start < end:
        piece = data[start : min(start + size + overlap, end)]
        if (at := piece.find(needle)) >= 0:
            return start + at
        start += size
        size = min(2 * size, _PIECE)
    return -1


def count_lines(data: Octets, start: int, end: int) -> int:
    """Count the line feeds in data[start:end].

    `count` looks at every octet, 1 µs a KiB; to leave something out C looks for it, a quarter of that
    for lines as people write them.
    """
    lines = 0
    look = data[start : min(start + _LOOK, end)]
    short = look.count(b"\n") * _SHORT > len(look)
    for at in range(start, end, _COUNTED):
        piece = data[at : min(at + _COUNTED, end)]
        found = piece.count(b"\n") if short else len(piece) - len(piece.replace(b"\n", b""))
        short = found * _SHORT > len(piece)
        lines += found
    return lines
