"""Ranges of results, counted from either end (RFC 9394 §3.1, RFC 5267 §4.4)."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class PartialRange(NamedTuple):
    """Places in a list of results: 1 is the first, -1 the last; never mixed, and the nearer end first."""

    first: int
    last: int

    def cut(self, results: Sequence[T]) -> Sequence[T]:
        """Return what lies in the range, in the order of the results."""
        if self.first > 0:
            return results[self.first - 1 : self.last]
        count = len(results)
        return results[max(0, count + self.last) : max(0, count + self.first + 1)]
