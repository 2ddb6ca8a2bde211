"""A mailbox in packed columns: what is listed of 100,000 messages in 2 MB (DESIGN section 3, "Rows").

A worker keeps one listing for each mailbox that its sessions look at, and brings
it up to date by what is newer.
"""

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import Final, NamedTuple, TypeAlias, TypeVar

import msgspec

from postroad.model.flags import Flag
from postroad.store.types import Changes, Entry, Ranges

T = TypeVar("T")
State: TypeAlias = tuple[int, str]
"""Flags and keywords, as `Entry` has them. A mailbox has few different ones."""
Places: TypeAlias = range | list[int]
"""Where in the columns some entries stand, ascending."""

_WIDER: Final = {"B": "H", "H": "I", "I": "q"}
"""What becomes of a column when a value does not go into it."""
_FORM: Final = f"2 {sys.byteorder} "
"""How `packed` says to whom it makes sense; behind it are the typecodes of the columns."""
_FEW: Final = 200
"""Entries up to which taking them out one by one costs less than making the columns anew."""


class _Marks(dict[State, int]):
    """States by number, in the order in which they were met."""

    def __missing__(self, state: State) -> int:
        self[state] = mark = len(self)
        return mark


class Batch(NamedTuple):
    """Some entries of a listing, column by column, as they were at one moment."""

    numbers: Sequence[int]
    """Message numbers, as the session that asks counts."""
    uids: Sequence[int]
    marks: Sequence[int]
    """Which of `states` each entry is in."""
    states: Sequence[State]
    modseqs: Sequence[int]
    sizes: Sequence[int]
    dates: Sequence[int]
    message_ids: Sequence[int]

    def pick(self, places: Sequence[int]) -> "Batch":
        """Return some of its entries."""
        if len(places) == len(self.uids):
            return self

        def taken(column: Sequence[int]) -> list[int]:
            return [column[at] for at in places]

        return self._replace(
            numbers=taken(self.numbers),
            uids=taken(self.uids),
            marks=taken(self.marks),
            modseqs=taken(self.modseqs),
            sizes=taken(self.sizes),
            dates=taken(self.dates),
            message_ids=taken(self.message_ids),
        )

    def by_state(self, of: Callable[[int, str], T]) -> list[T]:
        """Return for each entry what `of` makes of its flags and keywords."""
        made = {mark: of(*self.states[mark]) for mark in set(self.marks)}
        return list(map(made.__getitem__, self.marks))

    def keywords(self) -> set[str]:
        """Return the keywords of its entries, in the stored form."""
        return {self.states[mark][1] for mark in set(self.marks)}

    def lacking(self, flag: Flag) -> list[int]:
        """Return the UIDs of the entries without a flag."""
        return list(compress(self.uids, self.by_state(lambda flags, _: not flags & flag)))


class Listing:
    """One mailbox as of `modseq`.

    It changes with the mailbox, so keep it across no await. What it gives is
    yours to keep: batches are copies, and `uids` is replaced and never changed in place.
    """

    __slots__ = (
        "_dates",
        "_first_unseen",
        "_keywords",
        "_marks",
        "_message_ids",
        "_modseqs",
        "_of_state",
        "_sizes",
        "_states",
        "changed",
        "modseq",
        "uidnext",
        "uids",
        "uncounted",
    )

    def __init__(self, modseq: int, uidnext: int) -> None:
        """Begin an empty one; `extend` it."""
        self.modseq = modseq
        self.uidnext = uidnext
        self.changed = 0
        """Entries that were read one by one since a copy was stored."""
        self.uncounted = 0
        """By how many the mailbox's own counter is off (a damaged index)."""
        self._of_state = _Marks()
        self._states: list[State] = []
        # Narrow at first: `_WIDER` says what becomes of them.
        self.uids = array("I")
        self._marks = array("B")
        self._modseqs = array("I")
        self._sizes = array("I")
        self._dates = array("I")
        self._message_ids = array("I")
        self._first_unseen: int | None = None
        self._keywords: frozenset[str] | None = None

    def __len__(self) -> int:
        return len(self.uids)

    @property
    def octets(self) -> int:
        """About how much memory it takes."""
        return (
            sum([len(self.uids) * column.itemsize for column in self._columns()])
            + 200 * len(self._states)
            + 1000
        )

    # -- filling -----------------------------------------------------------

    def extend(self, rows: Sequence[Entry]) -> None:
        """Add rows behind the last UID, in their order."""
        if not rows:
            return
        uids, modseqs, flags, keywords, *others = zip(*rows, strict=True)
        marks = tuple(map(self._of_state.__getitem__, zip(flags, keywords, strict=True)))
        news = [marks, modseqs, *others]
        columns = [_with(column, new) for column, new in zip(self._columns()[1:], news, strict=True)]
        self._set_columns([self.uids + array("I", uids), *columns])
        self._note(len(rows))

    def apply(self, changes: Changes) -> None:
        """Bring it up to date."""
        if changes.vanished:
            self._remove(changes.vanished)
        fresh = [entry for entry in changes.entries if entry.uid >= self.uidnext]
        known = changes.entries[: len(changes.entries) - len(fresh)]
        for entry in known:
            self._change(entry)
        self._note(len(known) + len(changes.vanished))
        self.extend(fresh)
        self.modseq = changes.modseq
        self.uidnext = changes.uidnext

    def _change(self, entry: Entry) -> None:
        at = self._place(entry.uid)
        if at >= 0:
            self._marks = _put(self._marks, at, self._of_state[entry.flags, entry.keywords])
            self._modseqs = _put(self._modseqs, at, entry.modseq)

    def _remove(self, gone: Sequence[int]) -> None:
        there = [at for uid in gone if (at := self._place(uid)) >= 0]
        if not there:
            return
        if len(there) < _FEW:
            self.uids = self.uids[:]  # what sessions hold stays as it is
            for column in self._columns():
                for at in reversed(there):
                    del column[at]
            return
        kept = bytearray(b"\1") * len(self.uids)
        for at in there:
            kept[at] = 0
        self._set_columns([array(column.typecode, compress(column, kept)) for column in self._columns()])

    def _place(self, uid: int) -> int:
        at = bisect_left(self.uids, uid)
        return at if at < len(self.uids) and self.uids[at] == uid else -1

    def _columns(self) -> "list[array[int]]":
        return [self.uids, self._marks, self._modseqs, self._sizes, self._dates, self._message_ids]

    def _set_columns(self, columns: "list[array[int]]") -> None:
        self.uids, self._marks, self._modseqs, self._sizes, self._dates, self._message_ids = columns

    def _note(self, changed: int) -> None:
        self.changed += changed
        self._first_unseen = self._keywords = None
        if len(self._states) < len(self._of_state):
            self._states = list(self._of_state)

    # -- as one piece --------------------------------------------------------

    def packed(self) -> tuple[str, str, bytes]:
        """Return what form the columns have, the states as JSON, and the columns one behind the other."""
        form = _FORM + "".join([column.typecode for column in self._columns()])
        columns = b"".join([column.tobytes() for column in self._columns()])
        return form, msgspec.json.encode(self._states).decode(), columns

    @classmethod
    def unpacked(cls, form: str, modseq: int, uidnext: int, states: str, columns: bytes) -> "Listing | None":
        """Make one of what `packed` gave; None if another machine or version has."""
        if not is_of_ours(form):
            return None
        parts = [array(typecode) for typecode in form.removeprefix(_FORM)]
        listing = cls(modseq, uidnext)
        for state in msgspec.json.decode(states, type=list[State]):
            listing._of_state[state]
        count = len(columns) // sum([column.itemsize for column in parts])
        start = 0
        for column in parts:
            end = start + count * column.itemsize
            column.frombytes(memoryview(columns)[start:end])
            start = end
        listing._set_columns(parts)
        listing._note(0)
        return listing

    # -- looking -----------------------------------------------------------

    def keywords(self) -> frozenset[str]:
        """The keywords in use, in the stored form."""
        if self._keywords is None:
            self._keywords = frozenset([self._states[mark][1] for mark in self._marks_in_use()])
        return self._keywords

    @property
    def worn(self) -> bool:
        """Whether it names far more states than it has entries: make it anew."""
        return len(self._states) > 2 * len(self.uids) + 1000

    def first_unseen(self) -> int:
        """The first UID without \\Seen; 0 when there is none."""
        if self._first_unseen is None:
            unseen = [not flags & Flag.SEEN for flags, _ in self._states]
            if self._marks.typecode == "B":
                at = bytes(self._marks).translate(bytes(unseen).ljust(256, b"\0")).find(1)
                self._first_unseen = self.uids[at] if at >= 0 else 0
            else:
                self._first_unseen = next(compress(self.uids, map(unseen.__getitem__, self._marks)), 0)
        return self._first_unseen

    def _marks_in_use(self) -> Iterable[int]:
        if self._marks.typecode != "B":
            return set(self._marks)
        # A mailbox has few states, and each is looked for by C.
        marks = bytes(self._marks)
        return [mark for mark in range(len(self._states)) if mark in marks]

    def changed_since(self, modseq: int) -> list[int]:
        """The UIDs of what came or changed after a modseq."""
        if modseq >= self.modseq:
            return []
        return [uid for uid, latest in zip(self.uids, self._modseqs, strict=True) if latest > modseq]

    def sizes(self) -> "array[int]":
        """The octets of every message."""
        return self._sizes[:]

    def message_ids(self) -> "array[int]":
        """The key of every message."""
        return self._message_ids[:]

    def count(self, ranges: Ranges) -> int:
        """How many entries the ranges hold."""
        uids = self.uids
        return sum(bisect_right(uids, high) - bisect_left(uids, low) for low, high in ranges)

    def batch(self, ranges: Ranges, told: "array[int]") -> Batch:
        """Return the entries of `ranges` that are among the UIDs `told` to a session."""
        uids = self.uids
        if uids is told and len(ranges) == 1:
            [(low, high)] = ranges
            return self._run(bisect_left(uids, low), bisect_right(uids, high))
        places = numbered = _places(uids, ranges)
        if uids is not told:
            numbered = _places(told, ranges)
            if _take(uids, places) != _take(told, numbered):
                number_of = {told[at]: at for at in numbered}
                places = [at for at in places if uids[at] in number_of]
                numbered = [number_of[uids[at]] for at in places]
        return Batch(
            _numbers(numbered),
            _take(uids, places),
            _take(self._marks, places),
            self._states,
            _take(self._modseqs, places),
            _take(self._sizes, places),
            _take(self._dates, places),
            _take(self._message_ids, places),
        )

    def _run(self, start: int, stop: int) -> Batch:
        """Neighbours, which is what most batches are."""
        run = slice(start, stop)
        return Batch(
            range(start + 1, stop + 1),
            self.uids[run],
            self._marks[run],
            self._states,
            self._modseqs[run],
            self._sizes[run],
            self._dates[run],
            self._message_ids[run],
        )


def is_of_ours(form: str) -> bool:
    """Whether columns of a form are such as this version packs on this machine."""
    return form.startswith(_FORM)


def _with(column: "array[int]", values: Sequence[int]) -> "array[int]":
    """Append values to a column, or to a wider one in its place."""
    count = len(column)
    try:
        column.extend(values)
    except OverflowError:
        return _with(array(_WIDER[column.typecode], column[:count]), values)
    return column


def _put(column: "array[int]", at: int, value: int) -> "array[int]":
    """Change a value of a column, or of a wider one in its place."""
    try:
        column[at] = value
    except OverflowError:
        return _put(array(_WIDER[column.typecode], column), at, value)
    return column


def _places(uids: "array[int]", ranges: Ranges) -> Places:
    if len(ranges) == 1:
        [(low, high)] = ranges
        return range(bisect_left(uids, low), bisect_right(uids, high))
    places: list[int] = []
    for low, high in ranges:
        places += range(bisect_left(uids, low), bisect_right(uids, high))
    return places


def _numbers(places: Places) -> Places:
    """Message numbers: places counted from 1."""
    if isinstance(places, range):
        return range(places.start + 1, places.stop + 1)
    return [at + 1 for at in places]


def _take(column: "array[int]", places: Places) -> Sequence[int]:
    if isinstance(places, range):
        return column[places.start : places.stop]
    return [column[at] for at in places]
