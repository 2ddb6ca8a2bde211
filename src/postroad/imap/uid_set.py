"""Sets of numbers as sorted pairs: made from lists, met, searched (RFC 3501 §9 sequence-set)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Pairs: TypeAlias = tuple[tuple[int, int], ...]
"""Inclusive (low, high) pairs, ascending and disjoint."""


def pairs_of(numbers: Iterable[int]) -> Pairs:
    """Return the pairs that hold exactly these ascending numbers."""
    pairs: list[tuple[int, int]] = []
    low = high = -1
    for number in numbers:
        if number == high + 1 and pairs:
            high = number
            pairs[-1] = (low, high)
        else:
            low = high = number
            pairs.append((low, high))
    return tuple(pairs)


def is_in(pairs: Pairs, number: int) -> bool:
    """Whether one of the pairs holds the number."""
    at = bisect_right(pairs, (number, 0xFFFFFFFFF)) - 1
    return at >= 0 and pairs[at][1] >= number


def meet(first: Pairs, second: Pairs) -> Pairs:
    """Return what is in both."""
    met: list[tuple[int, int]] = []
    i = j = 0
    while i < len(first) and j < len(second):
        low = max(first[i][0], second[j][0])
        high = min(first[i][1], second[j][1])
        if low <= high:
            met.append((low, high))
        if first[i][1] < second[j][1]:
            i += 1
        else:
            j += 1
    return tuple(met)


def without(pairs: Pairs, numbers: Sequence[int]) -> Pairs:
    """Return the pairs without those of the ascending `numbers`."""
    rest: list[tuple[int, int]] = []
    for low, high in pairs:
        for number in numbers[bisect_left(numbers, low) : bisect_right(numbers, high)]:
            if number > low:
                rest.append((low, number - 1))
            low = number + 1
        if low <= high:
            rest.append((low, high))
    return tuple(rest)


def members(pairs: Pairs, numbers: Sequence[int]) -> list[int]:
    """Return those of the ascending `numbers` that the pairs hold."""
    found: list[int] = []
    for low, high in pairs:
        found += numbers[bisect_left(numbers, low) : bisect_right(numbers, high)]
    return found
