"""ANNOTATION in responses: what is noted about messages, and what of it has changed (RFC 5257 §4.4)."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from postroad.imap.pattern import Pattern
from postroad.imap.turns import Turns
from postroad.imap.windows import stands_in
from postroad.imap.wire.annotation import FetchAnnotation, has_wildcards
from postroad.imap.wire.responses import annotation, annotation_names
from postroad.imap.wire.search_keys import AnnotationKey
from postroad.message.charset import decode_text
from postroad.message.collation import collated
from postroad.message.summary import MAX_SUBJECT
from postroad.model.annotation import part_of
from postroad.store.account import Account
from postroad.store.listing import Batch
from postroad.store.message_annotations import EVERYBODY, Note

_Values: TypeAlias = dict[str, dict[bool, bytes]]
"""Of one message: by entry, and whether it is private."""
_WHOLE: Final[tuple[int, ...]] = ()
_STEP: Final = 1024 * 1024
_PAIR: Final = 20
"""Octets of an attribute without a value."""


class AnnotationItems:
    """The ANNOTATION items of one FETCH."""

    __slots__ = ("_account", "_items", "_mailbox_id", "_wanted")

    def __init__(self, account: Account, mailbox_id: int, items: Sequence[FetchAnnotation]) -> None:
        self._account = account
        self._mailbox_id = mailbox_id
        self._items = items
        self._wanted = [
            [(entry, Pattern("", entry) if has_wildcards(entry.encode()) else None) for entry in item.entries]
            for item in items
        ]

    @property
    def step(self) -> int:
        """Of how many messages as much as is wanted by name makes about a megabyte."""
        octets = sum(
            len(entry) + _PAIR * len(item.attributes) for item in self._items for entry in item.entries
        )
        return max(1, _STEP // octets)

    def paths(self) -> set[tuple[int, ...]]:
        """The parts that are asked about by number."""
        named = [entry for wanted in self._wanted for entry, pattern in wanted if pattern is None]
        return {part_of(entry) for entry in named} - {_WHOLE}

    def pieces(self, batch: Batch, order: int) -> Iterator[tuple[Batch, dict[int, bytes]]]:
        """Cut a batch into pieces with not too much to say of each; by UID what there is to say.

        In their order, or with an `order` of -1 the last first. Of a message without any of
        the entries nothing can be said: an empty list is not in the grammar (§5).
        """
        if not batch.uids:
            return
        there = self._account.message_annotations()
        for low, high in there.stretches(self._mailbox_id, batch.uids[0], batch.uids[-1])[::order]:
            values = _by_message(there.find(self._mailbox_id, low, high))
            places = range(bisect_left(batch.uids, low), bisect_right(batch.uids, high))
            piece = batch.pick(places)
            texts = {uid: self._said(values.get(uid, {})) for uid in piece.uids}
            yield piece, texts

    def _said(self, values: _Values) -> bytes:
        said = []
        for item, wanted in zip(self._items, self._wanted, strict=True):
            entries: dict[str, list[tuple[bytes, bytes | None]]] = {}
            for entry, pattern in wanted:
                names = [entry] if pattern is None else sorted(filter(pattern.matches, values))
                for name in names:
                    have = values.get(name, {})
                    if pattern is None or any(attribute.private in have for attribute in item.attributes):
                        entries[name] = _pairs(item, have)
            if entries:
                said.append(annotation(entries))
        return b" ".join(said)


def _by_message(notes: Sequence[Note]) -> dict[int, _Values]:
    found: dict[int, _Values] = {}
    for uid, user_id, entry, value in notes:
        found.setdefault(uid, {}).setdefault(entry, {})[user_id != EVERYBODY] = value
    return found


def _pairs(item: FetchAnnotation, have: Mapping[bool, bytes]) -> list[tuple[bytes, bytes | None]]:
    """Attributes and what they say: a value that there is not is NIL, and of size 0 (§3.2.2)."""
    pairs: list[tuple[bytes, bytes | None]] = []
    for name, private in item.attributes:
        value = have.get(private)
        suffix = b".priv" if private else b".shared"
        pairs.append((name + suffix, b"%d" % len(value or b"") if name == b"size" else value))
    return pairs


def changed_names(account: Account, mailbox_id: int, since: int, own: Collection[int]) -> dict[int, bytes]:
    """What tells which entries others have changed after a modseq, by UID; `own` are the client's changes."""
    names: dict[int, dict[str, None]] = {}
    for uid, entry, modseq in account.message_annotations().changed(mailbox_id, since):
        if modseq not in own:
            names.setdefault(uid, {})[entry] = None
    return {uid: annotation_names(entries) for uid, entries in names.items()}


async def matching(
    account: Account, mailbox_id: int, key: AnnotationKey, batch: Batch, places: Sequence[int], turns: Turns
) -> list[int]:
    """Return those of the places in a batch whose messages have a text in such a value (§4.8).

    NIL asks for those that have no such value at all.
    """
    low, high = batch.uids[places[0]], batch.uids[places[-1]]
    pattern = Pattern("", key.entry)
    wanted = collated(key.text or "")
    there = account.message_annotations()
    found: set[int] = set()
    for first, last in there.stretches(mailbox_id, low, high):
        for note in there.find(mailbox_id, first, last):
            if (
                (note.user_id != EVERYBODY) in key.private
                and note.uid not in found
                and pattern.matches(note.entry)
                and (not wanted or stands_in(wanted, decode_text(note.value, None)))
            ):
                found.add(note.uid)
        await turns.next()
    return [at for at in places if (batch.uids[at] in found) is (key.text is not None)]


def sort_texts(account: Account, mailbox_id: int, batch: Batch, entry: str, private: bool) -> list[str]:
    """Return what a SORT compares of each message: the value as text, empty where there is none (§4.9).

    Of a very long one it is the beginning, as much as of a subject.
    """
    if not batch.uids:
        return []
    there = account.message_annotations()
    notes = there.beginnings(mailbox_id, batch.uids[0], batch.uids[-1], entry, MAX_SUBJECT)
    of_kind = [note for note in notes if (note.user_id != EVERYBODY) is private]
    texts = {note.uid: collated(decode_text(note.value, None)) for note in of_kind}
    return [texts.get(uid, "") for uid in batch.uids]
