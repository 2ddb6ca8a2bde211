"""Ranges of results, counted from either end (RFC 9394 §3.1, RFC 5267 §4.4)."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class PartialRange(NamedTuple):
    """Places in a list of results as they were written: 1 is the first, -1 the last; never mixed."""

    first: int
    last: int

    def cut(self, results: Sequence[T]) -> Sequence[T]:
        """Return what lies in the range, in the order of the results; 500:400 is 400:500."""
        low, high = min(self), max(self)
        if low > 0:
            return results[low - 1 : high]
        count = len(results)
        return results[max(0, count + low) : max(0, count + high + 1)]
