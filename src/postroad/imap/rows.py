"""FETCH items that are ready in the index: a batch of rows to a batch of lines.

Each item is a column of values for all rows of a batch and a place in one
template, so that a line costs one formatting by C.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from postroad.imap.selected import Selected
from postroad.imap.uid_set import is_in
from postroad.imap.wire.fetch_items import FetchAttribute
from postroad.imap.wire.responses import internaldate
from postroad.model.flags import SYSTEM_TEXT
from postroad.store.account import Account
from postroad.store.types import Entry, Rendered

_PLACES: Final = {
    FetchAttribute.UID: b"UID %d",
    FetchAttribute.FLAGS: b"FLAGS (%b)",
    FetchAttribute.INTERNALDATE: b"INTERNALDATE %b",
    FetchAttribute.SIZE: b"RFC822.SIZE %d",
    FetchAttribute.ENVELOPE: b"ENVELOPE %b",
    FetchAttribute.BODY: b"BODY %b",
    FetchAttribute.BODYSTRUCTURE: b"BODYSTRUCTURE %b",
    FetchAttribute.MODSEQ: b"MODSEQ (%d)",
}
_WIDE: Final = frozenset({FetchAttribute.ENVELOPE, FetchAttribute.BODY, FetchAttribute.BODYSTRUCTURE})


class RowFormat:
    """The part of a FETCH that is made from rows: `* 1 FETCH (UID 7 FLAGS ()`, still open."""

    __slots__ = ("_account", "_items", "_selected", "_template", "_wide")

    def __init__(self, account: Account, selected: Selected, items: Iterable[FetchAttribute]) -> None:
        self._account = account
        self._selected = selected
        self._items = tuple(items)
        self._template = b"* %d FETCH (" + b" ".join([_PLACES[item] for item in self._items])
        self._wide = not _WIDE.isdisjoint(self._items)

    def lines(
        self, numbers: Sequence[int], rows: list[Entry], end: bytes = b""
    ) -> tuple[list[Entry], list[bytes]]:
        """Return the rows that are still there and a line for each, with `end` behind it.

        `numbers` are the message numbers of `rows`.
        """
        wide: dict[int, Rendered] = {}
        if self._wide:
            wide = self._account.rendered([row.message_id for row in rows])
            if len(wide) < len(rows):  # expunged since they were read, or the same message twice
                kept = [(n, row) for n, row in zip(numbers, rows, strict=True) if row.message_id in wide]
                numbers, rows = [n for n, _ in kept], [row for _, row in kept]
        columns: list[Iterable[object]] = [numbers]
        for item in self._items:
            columns += self._columns(item, rows, wide)
        return rows, list(map((self._template + end).__mod__, zip(*columns, strict=True)))

    def _columns(
        self, item: FetchAttribute, rows: list[Entry], wide: dict[int, Rendered]
    ) -> list[Iterable[object]]:
        match item:
            case FetchAttribute.UID:
                return [[row.uid for row in rows]]
            case FetchAttribute.FLAGS:
                return [self._flags(rows)]
            case FetchAttribute.INTERNALDATE:
                return [[internaldate(row.internal_date) for row in rows]]
            case FetchAttribute.SIZE:
                return [[row.size for row in rows]]
            case FetchAttribute.MODSEQ:
                return [[row.modseq for row in rows]]
            case FetchAttribute.ENVELOPE:
                return [[wide[row.message_id].envelope for row in rows]]
            case FetchAttribute.BODY:
                return [[wide[row.message_id].body for row in rows]]
            case FetchAttribute.BODYSTRUCTURE:
                return [[wide[row.message_id].bodystructure for row in rows]]

    def _flags(self, rows: list[Entry]) -> list[bytes]:
        recent = self._selected.recent
        ready = self._selected.flags.ready
        if not recent or not rows or rows[-1].uid < recent[0][0]:
            # The usual case of the usual item: no call for messages without keywords.
            return [
                ready(flags, keywords) if keywords else SYSTEM_TEXT[flags]
                for _, _, flags, keywords, _, _, _ in rows
            ]
        text = self._selected.flags.text
        return [text(row, is_in(recent, row.uid)) for row in rows]
