"""FETCH items that are ready in the index: a batch of entries to a batch of lines.

Each item is a column of values for all entries of a batch and a place in one
template, so that a line costs one formatting by C.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from postroad.imap.selected import Selected
from postroad.imap.turns import Turns
from postroad.imap.wire.fetch_items import FetchAttribute
from postroad.imap.wire.responses import internaldates, string
from postroad.message.conventional import conventional_envelope, structure_for
from postroad.message.structure import GLOBAL
from postroad.message.text import walk
from postroad.store.account import Account
from postroad.store.errors import Damaged, NoSuchMessage
from postroad.store.listing import Batch

_PLACES: Final = {
    FetchAttribute.UID: b"UID %d",
    FetchAttribute.FLAGS: b"FLAGS (%b)",
    FetchAttribute.INTERNALDATE: b"INTERNALDATE %b",
    FetchAttribute.SIZE: b"RFC822.SIZE %d",
    FetchAttribute.ENVELOPE: b"ENVELOPE %b",
    FetchAttribute.BODY: b"BODY %b",
    FetchAttribute.BODYSTRUCTURE: b"BODYSTRUCTURE %b",
    FetchAttribute.MODSEQ: b"MODSEQ (%d)",
    FetchAttribute.EMAILID: b"EMAILID (%b)",
    FetchAttribute.THREADID: b"THREADID (%b)",
    FetchAttribute.SAVEDATE: b"SAVEDATE %b",
    FetchAttribute.PREVIEW: b"PREVIEW %b",
}
_WIDE: Final = {
    FetchAttribute.ENVELOPE: "envelope",
    FetchAttribute.BODY: "body",
    FetchAttribute.BODYSTRUCTURE: "bodystructure",
    FetchAttribute.THREADID: "thread_id",
    FetchAttribute.PREVIEW: "preview",
}

_NARROW: Final = frozenset(_PLACES) - frozenset(_WIDE) - {FetchAttribute.SAVEDATE}


@lru_cache(maxsize=256)
def _form(items: tuple[FetchAttribute, ...], *, uidonly: bool) -> tuple[bytes, tuple[FetchAttribute, ...]]:
    """The template for these items, and which of them are in wide rows."""
    start = b"* %d UIDFETCH (" if uidonly else b"* %d FETCH ("  # RFC 9586 §3.3 uidfetch-resp
    places = b" ".join([_PLACES[item] for item in items])
    return start + places, tuple([item for item in _WIDE if item in items])


def _has_global(structure: bytes) -> bool:
    """Whether a message/global is in it: rows have that as RFC 3501 does."""
    return GLOBAL in structure


def _has_utf8(structure: bytes) -> bool:
    """Whether it may say something in UTF-8, which is for who has enabled that."""
    return not structure.isascii()


class RowFormat:
    """The part of a FETCH that is made from rows: `* 1 FETCH (UID 7 FLAGS ()`, still open."""

    __slots__ = ("_account", "_items", "_selected", "_template", "_turns", "_wide")

    def __init__(
        self, account: Account, selected: Selected, items: Iterable[FetchAttribute], turns: Turns
    ) -> None:
        self._account = account
        self._selected = selected
        self._turns = turns
        self._items = tuple(items)
        self._template, self._wide = _form(self._items, uidonly=selected.uidonly)

    async def lines(self, batch: Batch, end: bytes = b"") -> tuple[Batch, list[bytes]]:
        """Return the entries that are still there and a line for each, with `end` behind it."""
        wide: dict[FetchAttribute, Iterable[object]] = {}
        if self._wide:
            batch, columns = self._rendered(batch)
            for item, column in zip(self._wide, columns, strict=True):
                wide[item] = await self._written(item, column, batch)
        if FetchAttribute.SAVEDATE in self._items:
            wide[FetchAttribute.SAVEDATE] = self._saved(batch)
        values = [
            wide[item] if item in wide else _column(self._account, self._selected, item, batch)
            for item in self._items
        ]
        return batch, _filled(self._template + end, self._selected, batch, values)

    async def _written(self, item: FetchAttribute, column: Sequence[Any], batch: Batch) -> Iterable[object]:
        """What the response has of a wide column."""
        match item:
            case FetchAttribute.THREADID:
                return [b"T%d-%d" % (self._account.id, thread) for thread in column]
            case FetchAttribute.PREVIEW:
                return [string(preview.encode()) for preview in column]
            case FetchAttribute.BODY | FetchAttribute.BODYSTRUCTURE:
                differs = _has_global if self._selected.international else _has_utf8
                return await self._anew(
                    column, differs, lambda at: self._structure(item, column[at], batch.message_ids[at])
                )
            case FetchAttribute.ENVELOPE if not self._selected.international:
                return await self._anew(column, _has_utf8, lambda at: conventional_envelope(column[at]))
            case _:
                return column

    async def _anew(
        self, column: Sequence[bytes], differs: Callable[[bytes], bool], make: Callable[[int], bytes]
    ) -> Sequence[bytes]:
        """A column, with those made anew that are not for this client as rows have them: nearly none."""
        if not any(map(differs, column)):
            return column
        written = list(column)
        for at, stored in enumerate(column):
            if differs(stored):
                written[at] = make(at)
                await self._turns.next()
        return written

    def _structure(self, item: FetchAttribute, stored: bytes, message_id: int) -> bytes:
        """A structure made anew, where it is not for this client as rows have it."""
        try:
            message = self._account.open(message_id)
            root = message.parts()
            # Only envelopes of messages within are made from its octets.
            data = message.shared() if any(part.embedded for part in walk(root)) else b""
            forms = structure_for(data, root, international=self._selected.international)
        except (NoSuchMessage, Damaged):
            return stored
        return forms[item is FetchAttribute.BODYSTRUCTURE]

    def _saved(self, batch: Batch) -> list[bytes]:
        """When the entries came; NIL for one that has been expunged since the batch was taken."""
        saved = self._account.saved_dates(self._selected.id, batch.uids)
        dates = dict(zip(saved, internaldates(saved.values()), strict=True))
        return [dates.get(uid, b"NIL") for uid in batch.uids]

    def _rendered(self, batch: Batch) -> tuple[Batch, list[tuple[bytes, ...]]]:
        """The wide columns of a batch, without those entries that were expunged since it was taken."""
        names = [_WIDE[item] for item in self._wide]
        ids, columns = self._account.rendered(batch.message_ids, names)
        if list(ids) == list(batch.message_ids):
            return batch, columns
        place_of = {message_id: at for at, message_id in enumerate(ids)}
        there = [at for at, message_id in enumerate(batch.message_ids) if message_id in place_of]
        batch = batch.pick(there)
        order = [place_of[message_id] for message_id in batch.message_ids]
        return batch, [tuple([column[at] for at in order]) for column in columns]


def is_narrow(items: Iterable[FetchAttribute]) -> bool:
    """Whether all of these are in a batch already."""
    return _NARROW.issuperset(items)


def narrow_lines(
    account: Account, selected: Selected, items: tuple[FetchAttribute, ...], batch: Batch, end: bytes
) -> list[bytes]:
    """What `RowFormat.lines` gives, of items that are all narrow."""
    template, _ = _form(items, uidonly=selected.uidonly)
    columns = [_column(account, selected, item, batch) for item in items]
    return _filled(template + end, selected, batch, columns)


def _filled(
    template: bytes, selected: Selected, batch: Batch, columns: Iterable[Iterable[object]]
) -> list[bytes]:
    """A line for each message: what it goes by in this session, then a value of each column."""
    names = batch.uids if selected.uidonly else batch.numbers
    return list(map(template.__mod__, zip(names, *columns, strict=True)))


def _column(account: Account, selected: Selected, item: FetchAttribute, batch: Batch) -> Iterable[object]:
    match item:
        case FetchAttribute.UID:
            return batch.uids
        case FetchAttribute.FLAGS:
            return _flags(selected, batch)
        case FetchAttribute.INTERNALDATE:
            return internaldates(batch.dates)
        case FetchAttribute.SIZE:
            return batch.sizes
        case FetchAttribute.MODSEQ:
            return batch.modseqs
        case FetchAttribute.EMAILID:
            return [b"M%d-%d" % (account.id, message_id) for message_id in batch.message_ids]
        case _:
            raise AssertionError(f"{item} is not in the narrow row")


def _flags(selected: Selected, batch: Batch) -> list[bytes]:
    flags = selected.flags
    texts = batch.by_state(flags.ready)
    for low, high in selected.recent:
        first, end = bisect_left(batch.uids, low), bisect_right(batch.uids, high)
        if first < end:
            texts[first:end] = map(flags.with_recent, texts[first:end])
    return texts
