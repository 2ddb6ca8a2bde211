"""Which messages a client knows, by number and by UID (RFC 3501 §2.3.1)."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence

from postroad.imap.uid_set import Pairs, meet
from postroad.imap.wire.sequence_set import SequenceSet
from postroad.store.types import Entry


class BadNumber(Exception):
    """A message number is higher than there are messages (RFC 3501 §9 seq-number)."""


class Numbering:
    """The messages that a client has been told of."""

    __slots__ = ("saved", "uids")

    def __init__(self, uids: "array[int]") -> None:
        self.uids = uids
        """What the client knows, by message number; shared with other sessions, so never changed in place."""
        self.saved: Pairs = ()
        """UIDs that SEARCH RETURN (SAVE) has kept for `$` (RFC 5182 §2.1)."""

    @property
    def exists(self) -> int:
        """The number of messages that the client knows of."""
        return len(self.uids)

    def uid_pairs(self, wanted: SequenceSet, *, uid: bool) -> Pairs:
        """Resolve a set of UIDs, or of message numbers, to pairs of UIDs that the client may name.

        Raises:
            BadNumber: a message number is out of range; unknown UIDs are nobody's fault (§6.4.8).
        """
        uids = self.uids
        if wanted.saved:
            return self.saved
        if uid:
            # A message that came in meanwhile has not been announced: it is not there yet.
            return meet(wanted.resolve(uids[-1] if uids else 0), ((1, uids[-1] if uids else 0),))
        if (number := wanted.one) is not None:
            if not 1 <= number <= len(uids):
                raise BadNumber
            return ((uids[number - 1], uids[number - 1]),)
        numbers = wanted.resolve(len(uids))
        if not numbers or numbers[-1][1] > len(uids):
            raise BadNumber
        return tuple([(uids[low - 1], uids[high - 1]) for low, high in numbers])

    def known_pairs(self, numbers: SequenceSet) -> Pairs:
        """Resolve message numbers to pairs of UIDs; numbers that no message has stand for nothing."""
        if numbers.saved:
            return self.saved
        uids = self.uids
        known = meet(numbers.resolve(len(uids)), ((1, len(uids)),))
        return tuple([(uids[low - 1], uids[high - 1]) for low, high in known])

    def count(self, pairs: Pairs) -> int:
        """How many of the messages that the client knows lie in the pairs."""
        uids = self.uids
        if len(pairs) == 1:
            [(low, high)] = pairs
            return bisect_left(uids, high + 1) - bisect_left(uids, low)
        return sum(bisect_left(uids, high + 1) - bisect_left(uids, low) for low, high in pairs)

    def number(self, uid: int) -> int:
        """The message number of a UID that the client knows."""
        return bisect_left(self.uids, uid) + 1

    def numbered(self, rows: list[Entry]) -> tuple[Sequence[int], list[Entry]]:
        """Give the message numbers of rows in the order of UIDs, without rows not told of."""
        uids = self.uids
        if not rows:
            return (), rows
        first = bisect_left(uids, rows[0].uid)
        if uids[first : first + len(rows)] == array("I", [row.uid for row in rows]):
            return range(first + 1, first + 1 + len(rows)), rows
        span = uids[first : bisect_left(uids, rows[-1].uid + 1)]
        known = {uid: number for number, uid in enumerate(span, first + 1)}
        rows = [row for row in rows if row.uid in known]
        return [known[row.uid] for row in rows], rows
