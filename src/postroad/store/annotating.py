"""The verbs of messages' annotations, as one user sees them: the owner or another (RFC 5257)."""

from collections.abc import Collection, Sequence
from typing import Final

from postroad.config.limits import Limits
from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.message.part import unpack_tree
from postroad.message.section import find_part
from postroad.model.annotation import Annotation, part_of
from postroad.model.flags import SEEN
from postroad.model.rights import Rights
from postroad.store import message_annotations, seen
from postroad.store.crossing import Place
from postroad.store.entries import modseq_of, next_modseq, select_entries
from postroad.store.errors import NoSuchPart, NoteTooLarge
from postroad.store.message_annotations import EVERYBODY, Key, Note
from postroad.store.metadata import LONGEST
from postroad.store.sharing import refusal, rights_of
from postroad.store.types import Entry, FlagsResult, Ranges

LEAST: Final = 1024
"""Octets that a value may have whatever the settings say (RFC 5257 §4.1)."""


def longest(limits: Limits) -> int:
    """How many octets the value of an annotation of a message may have."""
    return max(LEAST, min(limits.annotation_value, LONGEST))


def need_rights(rights: Rights, mailbox_id: int, annotations: Sequence[Annotation]) -> None:
    """See to it that a user may store these: `r` for an own one, `n` for everybody's (RFC 5257 §3.4).

    Raises:
        NotAllowed, NoSuchMailbox: see `sharing.refusal`.
    """
    wanted = {"r" if annotation.private else "n" for annotation in annotations}
    if not rights.issuperset(wanted):
        raise refusal(rights, mailbox_id)


def need_size(limits: Limits, annotations: Sequence[Annotation]) -> None:
    """See to it that no value is too large.

    Raises:
        NoteTooLarge
    """
    most = longest(limits)
    if any(annotation.value is not None and len(annotation.value) > most for annotation in annotations):
        raise NoteTooLarge(f"{most} octets")


def need_parts(tree: bytes, annotations: Sequence[Annotation]) -> None:
    """See to it that a message has the parts that these are about (RFC 5257 §3.2.1).

    Raises:
        NoSuchPart
    """
    paths = {path for annotation in annotations if (path := part_of(annotation.entry))}
    if paths:
        parts = unpack_tree(tree)
        if any(find_part(parts, path) is None for path in paths):
            raise NoSuchPart


class MessageAnnotations:
    """What there is in the mailboxes of one account."""

    __slots__ = ("_account_id", "_database", "_user_id")

    def __init__(self, account_id: int, user_id: int, database: Database) -> None:
        self._account_id = account_id
        self._user_id = user_id
        self._database = database

    def stretches(self, mailbox_id: int, low: int, high: int) -> list[tuple[int, int]]:
        """Cut a range of UIDs so that `find` reads about a megabyte for each piece."""
        where = ((self._account_id, mailbox_id), self._user_id, low, high)
        return self._database.ask(lambda r: message_annotations.stretches(r, *where))

    def find(self, mailbox_id: int, low: int, high: int) -> list[Note]:
        """What the user may see of the messages from one UID to another, by UID and name."""
        where = ((self._account_id, mailbox_id), self._user_id, low, high)
        return self._database.ask(lambda r: message_annotations.find(r, *where))

    def beginnings(self, mailbox_id: int, low: int, high: int, entry: str, most: int) -> list[Note]:
        """The same of one entry, and of each value `most` octets."""
        where = ((self._account_id, mailbox_id), self._user_id, low, high)
        return self._database.ask(lambda r: message_annotations.beginnings(r, *where, entry, most))

    def changed(self, mailbox_id: int, since: int) -> list[tuple[int, str, int]]:
        """Which values that the user may see were set or removed after a modseq: UID, entry, modseq."""
        key = (self._account_id, mailbox_id)
        return self._database.ask(lambda r: message_annotations.changed(r, key, self._user_id, since))


def annotate(
    tx: Transaction,
    place: Place,
    uids: Ranges,
    annotations: Sequence[Annotation],
    unchanged_since: int | None,
    limits: Limits,
) -> FlagsResult:
    """Set and remove entries of messages, unless these have changed meanwhile (RFC 7162 §3.1.3).

    What everybody sees changes the mod-sequence of a message for all, what a
    guest alone sees for that guest.

    Raises:
        NotAllowed, NoSuchMailbox, NoteTooLarge, TooManyNotes, NoSuchPart, LimitReached
    """
    need_size(limits, annotations)
    key = (place.account_id, place.mailbox_id)
    since = modseq_of(tx, *key)
    rights = rights_of(tx, *key, place.user_id, place.anyone)
    need_rights(rights, place.mailbox_id, annotations)
    before = _entries(tx, place, uids)
    noted = _noted(tx, key, place.user_id, before, {one.entry for one in annotations})
    conflicts: list[int] = []
    if unchanged_since is not None:
        wanted = [(_whose(one, place), one.entry) for one in annotations]
        conflicts = [
            entry.uid
            for entry in before
            if _is_conflict(entry, noted.get(entry.uid, {}), wanted, unchanged_since)
        ]
    refused = set(conflicts)
    targets = [entry for entry in before if entry.uid not in refused]
    if any(part_of(one.entry) for one in annotations):
        sql = "SELECT tree FROM message WHERE account_id = ? AND id = ?"
        for entry in before:
            need_parts(tx.value(sql, place.account_id, entry.message_id), annotations)
    private, shared = _by_whose(annotations)
    touched: dict[int, Entry] = {}
    modseq = 0
    for whose, values in ((place.user_id, private), (EVERYBODY, shared)):
        changed = [entry for entry in targets if _differs(noted.get(entry.uid, {}), whose, values)]
        if not changed:
            continue
        modseq = modseq or next_modseq(tx, place.account_id)
        message_annotations.put(tx, key, whose, values, [entry.uid for entry in changed], modseq, limits)
        _touch(tx, place, changed, modseq, alone=whose != EVERYBODY and not place.is_own)
        touched |= {entry.uid: entry for entry in changed}
    if not touched:
        return FlagsResult(since, since, before, conflicts)
    tx.run("UPDATE mailbox SET modseq = ? WHERE account_id = ? AND id = ?", modseq, *key)
    now = [entry._replace(modseq=modseq) if entry.uid in touched else entry for entry in before]
    return FlagsResult(since, modseq, now, conflicts, (modseq,))


def annotate_new(
    tx: Transaction,
    place: Place,
    uid: int,
    annotations: Sequence[Annotation],
    tree: bytes,
    modseq: int,
    limits: Limits,
) -> None:
    """Set entries of a message that has just been filed, at the modseq of that (RFC 5257 §4.7).

    Raises:
        NoteTooLarge, TooManyNotes, NoSuchPart, LimitReached
    """
    need_size(limits, annotations)
    need_parts(tree, annotations)
    key = (place.account_id, place.mailbox_id)
    for whose, values in zip((place.user_id, EVERYBODY), _by_whose(annotations), strict=True):
        there = {entry: value for entry, value in values.items() if value is not None}
        if there:
            message_annotations.put(tx, key, whose, there, [uid], modseq, limits)


def _entries(tx: Transaction, place: Place, uids: Ranges) -> list[Entry]:
    if place.is_own:
        return select_entries(tx, place.account_id, place.mailbox_id, uids)
    return seen.entries(tx, place.account_id, place.mailbox_id, place.user_id, uids)


def _noted(
    tx: Transaction, key: Key, user_id: int, before: Sequence[Entry], names: Collection[str]
) -> dict[int, dict[tuple[int, str], bytes]]:
    """What there is under these names, by UID."""
    noted: dict[int, dict[tuple[int, str], bytes]] = {}
    if before:
        low, high = before[0].uid, before[-1].uid
        for uid, whose, entry, value in message_annotations.named(tx, key, user_id, low, high, names):
            noted.setdefault(uid, {})[whose, entry] = value
    return noted


def _whose(annotation: Annotation, place: Place) -> int:
    return place.user_id if annotation.private else EVERYBODY


def _is_conflict(
    entry: Entry,
    noted: dict[tuple[int, str], bytes],
    wanted: Sequence[tuple[int, str]],
    unchanged_since: int,
) -> bool:
    """Since 0 asks whether any of what is to be changed exists (RFC 7162 §3.1.3)."""
    if unchanged_since:
        return entry.modseq > unchanged_since
    return any(one in noted for one in wanted)


def _by_whose(annotations: Sequence[Annotation]) -> tuple[dict[str, bytes | None], dict[str, bytes | None]]:
    """The user's own and everybody's; of what is said twice the last counts."""
    private: dict[str, bytes | None] = {}
    shared: dict[str, bytes | None] = {}
    for annotation in annotations:
        (private if annotation.private else shared)[annotation.entry] = annotation.value
    return private, shared


def _differs(noted: dict[tuple[int, str], bytes], whose: int, values: dict[str, bytes | None]) -> bool:
    return any(noted.get((whose, entry)) != value for entry, value in values.items())


def _touch(tx: Transaction, place: Place, changed: Sequence[Entry], modseq: int, *, alone: bool) -> None:
    """Let messages have changed, for everybody or for a guest alone, whose \\Seen stays as it is."""
    key = (place.account_id, place.mailbox_id)
    if not alone:
        tx.run_many(
            "UPDATE entry SET modseq = ? WHERE account_id = ? AND mailbox_id = ? AND uid = ?",
            [(modseq, *key, entry.uid) for entry in changed],
        )
        return
    for on in (True, False):
        uids = [entry.uid for entry in changed if bool(entry.flags & SEEN) is on]
        seen.mark(tx, *key, place.user_id, uids, on, modseq)
