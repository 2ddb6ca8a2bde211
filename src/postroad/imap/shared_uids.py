"""Arrays of UIDs that sessions have in common.

Ten sessions on a mailbox of 100,000 messages need one array of 400 KB, not
ten: what a session has told its client at some modseq is what every other
session there has told.
"""

from array import array
from weakref import WeakValueDictionary


class SharedUids:
    """Finds the array of a mailbox at a modseq, as long as some session uses it."""

    __slots__ = ("_arrays",)

    def __init__(self) -> None:
        self._arrays: WeakValueDictionary[tuple[int, int, int], array[int]] = WeakValueDictionary()

    def share(self, account_id: int, mailbox_id: int, modseq: int, uids: "array[int]") -> "array[int]":
        """Return the array that others use, or note this one; neither is ever changed in place."""
        return self._arrays.setdefault((account_id, mailbox_id, modseq), uids)
