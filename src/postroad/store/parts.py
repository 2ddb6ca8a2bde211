"""Cutting a change of very many messages into pieces that leave the loop to others in between."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from postroad.store.types import Ranges

PART: Final = 1000
"""Messages changed in one transaction; about 40 ms of the loop."""
Told: TypeAlias = Callable[[int], None]
"""Hears how many messages a change of many has dealt with so far."""


def nobody(_: int) -> None:
    """Nobody wants to hear of it."""


def parts(uids: "array[int]", wanted: Ranges, size: int = PART) -> Iterator[list[tuple[int, int]]]:
    """Cut `wanted` into lists of ranges that each hold at most `size` of the ascending `uids`.

    Together they hold every one of `uids` that `wanted` holds, once.
    """
    part: list[tuple[int, int]] = []
    room = size
    for low, high in wanted:
        at, end = bisect_left(uids, low), bisect_right(uids, high)
        while at < end:
            stop = min(end, at + room)
            part.append((uids[at], uids[stop - 1]))
            room -= stop - at
            at = stop
            if not room:
                yield part
                part, room = [], size
    if part:
        yield part
