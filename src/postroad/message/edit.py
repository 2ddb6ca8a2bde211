"""A message with some of its octets replaced, given piece by piece: no body is ever copied whole."""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from postroad.message.octets import Octets

_PIECE: Final = 64 * 1024


class Edit(Struct, frozen=True):
    """What comes in the place of data[start:end]."""

    start: int
    end: int
    pieces: Iterable[bytes]


def edited(data: Octets, edits: Iterable[Edit]) -> Iterator[bytes]:
    """Give the message in pieces; edits do not overlap, and may come in any order."""
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        yield from _copied(data, at, edit.start)
        yield from edit.pieces
        at = edit.end
    yield from _copied(data, at, len(data))


def _copied(data: Octets, start: int, end: int) -> Iterator[bytes]:
    for at in range(start, end, _PIECE):
        yield data[at : min(at + _PIECE, end)]
