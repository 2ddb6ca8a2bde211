"""What changes in a mailbox, held against the results that the client follows (RFC 5267 §4.3)."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import total_ordering
from typing import Any, Final

from postroad.imap.contexts import Context
from postroad.imap.dialogue import Dialogue
from postroad.imap.finding import found, in_turns, turns_of
from postroad.imap.ordering.table import SortTable
from postroad.imap.selected import News, Selected
from postroad.imap.turns import Turns
from postroad.imap.uid_set import pairs_of
from postroad.imap.wire import search_keys as keys
from postroad.imap.wire.fetch_items import FetchItem
from postroad.imap.wire.search_keys import SearchKey
from postroad.imap.wire.sequence_set import MAX_NUMBER, SequenceSet
from postroad.store.listing import Listing

_MANY: Final = 100
"""New results of a SORT from which all are sorted anew: each one's place costs some twenty looks."""


async def revise(
    dialogue: Dialogue, selected: Selected, news: News, items: dict[int, tuple[FetchItem, ...]]
) -> list[bytes]:
    """Return what tells which messages that are new or have changed are results now, and which are no more.

    What is to be sent of messages that are new is added to `items` (RFC 5465 §7).

    Raises:
        NoSuchMailbox
    """
    turns = turns_of(dialogue)
    touched = news.touched
    fresh = set(news.fresh)
    pairs = pairs_of(touched)
    lines: list[bytes] = []
    for context in selected.contexts:
        among = set(touched).intersection(context.results)
        matching: list[int] = []
        async for batch, _ in found(dialogue, selected, context.key, turns, within=pairs):
            matching += batch.uids
        lines.append(context.without(among.difference(matching), selected.number))
        added = array("I", [uid for uid in matching if uid not in among])
        if not added:
            continue
        if context.items:
            for uid in fresh.intersection(added):
                items[uid] = tuple(dict.fromkeys((*items.get(uid, ()), *context.items)))
        if not context.criteria:
            lines.append(context.with_more(added, selected.number))
        elif len(added) < _MANY:
            listing = await selected.account.listing(selected.id)
            lines.append(_inserted(dialogue, selected, context, listing, added))
        else:
            lines += await _sort_anew(dialogue, selected, context, added, turns)
        await turns.next()
    return lines


def _inserted(
    dialogue: Dialogue, selected: Selected, context: Context, listing: Listing, added: Iterable[int]
) -> bytes:
    """Put each message in its place among sorted ones."""

    def key(uid: int) -> _Key:
        table = SortTable(selected.account, selected.id, context.criteria)
        table.add(listing.batch(((uid, uid),), selected.uids), ())
        return _Key(table.first(), uid)

    pairs = [
        context.with_one(bisect_left(context.results, key(uid), key=key), uid, selected.number)
        for uid in added
    ]
    return context.change(b"ADDTO", b" ".join(pairs))


@total_ordering
class _Key:
    """What a SORT compares of one message: a key that is reversed is less where it is more."""

    __slots__ = ("_uid", "_values")

    def __init__(self, values: Sequence[tuple[Any, bool]], uid: int) -> None:
        self._values = values
        self._uid = uid

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._uid == other._uid

    def __lt__(self, other: "_Key") -> bool:
        # One that was expunged this very moment has no values, and is said to be less.
        for (mine, reverse), (theirs, _) in zip(self._values, other._values, strict=False):
            if mine != theirs:
                return bool((mine < theirs) is not reverse)
        return self._uid < other._uid


async def _sort_anew(
    dialogue: Dialogue, selected: Selected, context: Context, added: Iterable[int], turns: Turns
) -> list[bytes]:
    """Tell everything again, in its order."""
    table = SortTable(selected.account, selected.id, context.criteria)
    uids = array("I")
    wanted = pairs_of(sorted([*context.results, *added]))
    async for batch, scores in found(dialogue, selected, keys.AllMessages(), turns, within=wanted):
        uids.extend(table.add(batch, scores)[0].uids)
        await turns.next()
    order = await in_turns(table.order(), turns)
    gone = context.without(set(context.results), selected.number)
    context.results = array("I")
    pairs = [context.with_one(place, uids[at], selected.number) for place, at in enumerate(order)]
    return [gone, context.change(b"ADDTO", b" ".join(pairs))]


def fixed(key: SearchKey, selected: Selected) -> SearchKey:
    """Return a key that means the same messages when numbers have changed (RFC 5267 §4.3)."""
    match key:
        case keys.And(keys=parts):
            return keys.And(tuple([fixed(part, selected) for part in parts]))
        case keys.Or(first=first, second=second):
            return keys.Or(fixed(first, selected), fixed(second, selected))
        case keys.Not(key=inner):
            return keys.Not(fixed(inner, selected))
        case keys.Fuzzy(key=inner):
            return keys.Fuzzy(fixed(inner, selected))
        case keys.NumberKey(numbers=numbers):
            return keys.UidKey(SequenceSet(selected.known_pairs(numbers)))
        case keys.UidKey(uids=uids):
            return keys.UidKey(SequenceSet(_open_ended(uids, selected)))
        case _:
            return key


def _open_ended(uids: SequenceSet, selected: Selected) -> tuple[tuple[int, int], ...]:
    """`7:*` goes on for ever, `*` is who it was."""
    if uids.saved:
        return selected.saved
    last = selected.uids[-1] if selected.exists else 0
    pairs: list[tuple[int, int]] = []
    for first, second in uids.ranges:
        low = min(last if end is None else end for end in (first, second))
        open_ended = first != second and None in (first, second)
        high = MAX_NUMBER if open_ended else max(last if end is None else end for end in (first, second))
        pairs.append((max(low, 1), max(high, 1)))
    return tuple(pairs)
