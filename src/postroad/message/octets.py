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


def find(data: Octets, needle: bytes, start: int, end: int) -> int:
    """Return the first offset of `needle` in data[start:end], or -1."""
    if isinstance(data, bytes):
        return data.find(needle, start, end)
    # mmap.find compares byte by byte before Python 3.12 and is quadratic at worst.
    overlap = len(needle) - 1
    while start < end:
        piece = data[start : min(start + _PIECE + overlap, end)]
        if (at := piece.find(needle)) >= 0:
            return start + at
        start += _PIECE
    return -1


def count_lines(data: Octets, start: int, end: int) -> int:
    """Count the line feeds in data[start:end]."""
    if isinstance(data, bytes):
        return data.count(b"\n", start, end)
    return sum(data[at : min(at + _PIECE, end)].count(b"\n") for at in range(start, end, _PIECE))
