"""Sequence sets as values (RFC 3501 §9 sequence-set)."""

from typing import Final

from msgspec import Struct

MAX_NUMBER: Final = 0xFFFFFFFF
"""The largest message number or UID (RFC 3501 §9 nz-number)."""


class SequenceSet(Struct, frozen=True):
    """Message numbers or UIDs as they were written, with None for `*`.

    What `*` stands for is known only to the session; `resolve` puts it in.
    """

    ranges: tuple[tuple[int | None, int | None], ...]
    """(first, last) as written; a single number is a range of one."""
    saved: bool = False
    """`$`, the result that a SEARCH has saved (RFC 5182 §2.1); `ranges` is empty then."""

    @property
    def one(self) -> int | None:
        """The number, where it is one that is written as such: what clients say most often."""
        if len(self.ranges) != 1:
            return None
        [(first, last)] = self.ranges
        return first if first == last else None

    def pairs(self) -> list[tuple[int, int]]:
        """Return the ranges as they are written, of a set without `*`."""
        return [(first, last) for first, last in self.ranges if first is not None and last is not None]

    def ascending(self) -> int | None:
        """Return how many numbers it holds, if they are written in ascending order and without `*`."""
        count = before = 0
        for first, last in self.ranges:
            if first is None or last is None or not before < first <= last:
                return None
            count += last - first + 1
            before = last
        return count

    def resolve(self, highest: int) -> tuple[tuple[int, int], ...]:
        """Return ascending, disjoint (low, high) pairs, with `highest` for `*`.

        A range written backwards counts forwards. In an empty mailbox
        (`highest` 0) a range with `*` holds nothing; otherwise `559:*` holds the highest UID even
        where that is below 559 (RFC 3501 §6.4.8).
        """
        pairs = []
        for first, last in self.ranges:
            low = highest if first is None else first
            high = highest if last is None else last
            if low > high:
                low, high = high, low
            if low:
                pairs.append((low, high))
        return _disjoint(pairs) if len(pairs) > 1 else tuple(pairs)


def _disjoint(pairs: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    pairs.sort()
    merged = [pairs[0]]
    for low, high in pairs[1:]:
        last_low, last_high = merged[-1]
        if low > last_high + 1:
            merged.append((low, high))
        elif high > last_high:
            merged[-1] = (last_low, high)
    return tuple(merged)
