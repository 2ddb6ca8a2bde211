"""Long pure work in slices: a generator yields wherever others may have a turn."""

from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Final, TypeAlias, TypeVar

T = TypeVar("T")
Row = TypeVar("Row", bound="str | int | tuple[Any, ...]")

Sliced: TypeAlias = Generator[None, None, T]
SLICE: Final = 4000
"""Things sorted, or looked at, in one slice: about 3 ms."""


def sliced(things: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut a sequence into slices."""
    return (things[start : start + SLICE] for start in range(0, len(things), SLICE))


def sort_sliced(rows: Sequence[Row]) -> Sliced[list[Row]]:
    """Sort; equal rows keep no order, so let there be none."""
    runs: list[list[Row]] = []
    for some in sliced(rows):
        runs.append(sorted(some))
        yield
    while len(runs) > 1:
        merged: list[list[Row]] = []
        for first in range(0, len(runs) - 1, 2):
            merged.append((yield from _merge(runs[first], runs[first + 1])))
        if len(runs) % 2:
            merged.append(runs[-1])
        runs = merged
    return runs[0] if runs else []


def _merge(a: list[Row], b: list[Row]) -> Sliced[list[Row]]:
    """Merge two sorted lists, some thousand rows at a time: all that are behind those are greater."""
    out: list[Row] = []
    i = j = 0
    while i < len(a) and j < len(b):
        next_i, next_j = min(len(a), i + SLICE), min(len(b), j + SLICE)
        pivot: Any = min(a[next_i - 1], b[next_j - 1])
        next_i, next_j = bisect_right(a, pivot, i, next_i), bisect_right(b, pivot, j, next_j)
        out += sorted(a[i:next_i] + b[j:next_j])
        i, j = next_i, next_j
        yield
    out += a[i:]
    out += b[j:]
    return out
