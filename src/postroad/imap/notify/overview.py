"""All mailboxes of an account at one moment, packed: what a session has told its client of them.

Sessions of one account on one worker share it. It costs 48 octets a mailbox,
and its name.
"""

from array import array
from collections.abc import Iterator
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from postroad.store.account import Account

_COLUMNS: Final = 6
_BETWEEN: Final = "\n"
"""No name of a mailbox has it."""


class State(NamedTuple):
    """One mailbox; `modseq` is the last, for whoever looks at what is different."""

    id: int
    uidvalidity: int
    uidnext: int
    messages: int
    unseen: int
    modseq: int


class Overview:
    """One account as of `modseq`; never changed."""

    __slots__ = ("__weakref__", "_names", "_numbers", "_subscribed", "modseq")

    def __init__(self, account: Account) -> None:
        self.modseq, rows, subscribed = account.overview()
        self._numbers = array("Q")
        for row in rows:
            self._numbers.extend(row[:_COLUMNS])
        self._names = _BETWEEN.join([row[_COLUMNS] for row in rows])
        self._subscribed = _BETWEEN.join(subscribed)

    def __len__(self) -> int:
        return len(self._numbers) // _COLUMNS

    def states(self) -> Iterator[State]:
        """Every mailbox, in the order of `names`."""
        return map(State._make, zip(*[iter(self._numbers)] * _COLUMNS, strict=True))

    def names(self) -> list[str]:
        """The name of every mailbox."""
        return self._names.split(_BETWEEN)

    def subscribed(self) -> set[str]:
        """Every name that is subscribed."""
        return set(self._subscribed.split(_BETWEEN)) - {""}

    def same_names(self, other: "Overview") -> bool:
        """Whether names, and which of them are subscribed, are the same."""
        return self._names == other._names and self._subscribed == other._subscribed


class Overviews:
    """Finds the overview of an account as of now, as long as some session holds it."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: WeakValueDictionary[int, Overview] = WeakValueDictionary()

    def take(self, account: Account) -> Overview:
        """Return the latest, shared where it has been taken already."""
        held = self._held.get(account.id)
        if held is None or held.modseq != account.latest():
            held = self._held[account.id] = Overview(account)
        return held
