"""All mailboxes of an account at one moment, packed: what a session has told its client of them.

Sessions of one account on one worker share it. It costs 48 octets a mailbox,
and its name.
"""

from array import array
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

from postroad.db.transaction import Row
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

    def __init__(self, modseq: int, rows: Sequence[Row], subscribed: Sequence[str]) -> None:
        """Take what `Account.overview` gives."""
        self.modseq = modseq
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
        return self._names.split(_BETWEEN) if self._names else []

    def subscribed(self) -> set[str]:
        """Every name that is subscribed."""
        return set(self._subscribed.split(_BETWEEN)) - {""}

    def same_names(self, other: "Overview") -> bool:
        """Whether names, and which of them are subscribed, are the same."""
        return self._names == other._names and self._subscribed == other._subscribed


NOTHING_KNOWN: Final = Overview(-1, (), ())
"""Of an account that a client has heard nothing of."""


class Overviews:
    """Finds the overview of an account as of now, as long as some session holds it."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: WeakValueDictionary[tuple[int, int], Overview] = WeakValueDictionary()

    def take(self, account: Account) -> Overview:
        """Return the latest, shared where it has been taken already."""
        key = account.id, account.user_id  # not everybody sees the same of it
        held = self._held.get(key)
        if held is None or held.modseq != account.latest():
            held = self._held[key] = Overview(*account.overview())
        return held
