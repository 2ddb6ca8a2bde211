"""Annotations of messages as rows: plain functions over a transaction (RFC 5257 §3).

Those of a message that was expunged stay as long as it can be restored, under
its old UID, which is never given to another. A row without a value tells those
who follow that it was removed. Mailboxes that never had any are marked
(`mailbox.annotated`), so that nothing is looked for there.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec

from postroad.config.limits import Limits
from postroad.db.transaction import Reader, Row, Transaction
from postroad.store.blobs.record import line
from postroad.store.errors import LimitReached, TooManyNotes
from postroad.store.runs import runs_of, uid_text
from postroad.store.types import Origin

EVERYBODY: Final = 0
"""Who has what is `.shared`."""
Key: TypeAlias = tuple[int, int]
"""Account and mailbox."""
_STEP: Final = 1024 * 1024
"""Octets of values read or written before there is a look at how many there are."""

_KEY: Final = "account_id = ? AND mailbox_id = ?"
_SEEN_BY: Final = f"{_KEY} AND uid BETWEEN ? AND ? AND user_id IN (0, ?) AND value IS NOT NULL"
_FIND: Final = f"SELECT uid, user_id, entry, value FROM message_annotation WHERE {_SEEN_BY}"  # noqa: S608 - constants
_NAMED: Final = f"{_FIND} AND entry IN (SELECT value FROM json_each(?))"  # noqa: S608 - a constant
_ALL: Final = (
    f"SELECT uid, user_id, entry, value FROM message_annotation WHERE {_KEY}"  # noqa: S608 - a constant
    " AND uid BETWEEN ? AND ? AND value IS NOT NULL"
)
_BEGINNINGS: Final = (
    f"SELECT uid, user_id, entry, substr(value, 1, ?) FROM message_annotation"  # noqa: S608 - constants
    f" WHERE {_SEEN_BY} AND entry = ?"
)
_SIZES: Final = (
    f"SELECT uid, sum(500 + length(value)) FROM message_annotation"  # noqa: S608 - constants
    f" WHERE {_SEEN_BY} GROUP BY uid"
)
_CHANGED: Final = (
    f"SELECT uid, entry, modseq FROM message_annotation WHERE {_KEY} AND modseq > ? AND user_id IN (0, ?)"  # noqa: S608
)
_PUT: Final = (
    "INSERT INTO message_annotation (account_id, mailbox_id, uid, user_id, entry, value, modseq)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, modseq = excluded.modseq"
)
_MANY: Final = (
    f"SELECT 1 FROM message_annotation WHERE {_KEY} AND uid = ? AND user_id = ?"  # noqa: S608 - constants
    " AND value IS NOT NULL LIMIT 1 OFFSET ?"
)
_USE: Final = "SELECT octets FROM annotation_use WHERE account_id = ?"
_FORGET_REMOVED: Final = "DELETE FROM message_annotation WHERE account_id = ? AND value IS NULL"
_DROP: Final = f"DELETE FROM message_annotation WHERE {_KEY} AND uid BETWEEN ? AND ?"  # noqa: S608 - constants


class Note(NamedTuple):
    """A value of a message."""

    uid: int
    user_id: int
    entry: str
    value: bytes


def find(reader: Reader, key: Key, user_id: int, low: int, high: int) -> list[Note]:
    """What a user may see of the messages from one UID to another, by UID."""
    return list(map(Note._make, reader.rows(_FIND, *key, low, high, user_id)))


def named(reader: Reader, key: Key, user_id: int, low: int, high: int, names: Collection[str]) -> list[Note]:
    """The same under these names alone."""
    rows = reader.rows(_NAMED, *key, low, high, user_id, msgspec.json.encode(list(names)).decode())
    return list(map(Note._make, rows))


def beginnings(
    reader: Reader, key: Key, user_id: int, low: int, high: int, entry: str, most: int
) -> list[Note]:
    """The same of one entry, and of each value `most` octets."""
    return list(map(Note._make, reader.rows(_BEGINNINGS, most, *key, low, high, user_id, entry)))


def stretches(reader: Reader, key: Key, user_id: int, low: int, high: int) -> list[tuple[int, int]]:
    """Cut a range of UIDs so that what is to be read for each piece is about a megabyte."""
    pieces: list[tuple[int, int]] = []
    octets = 0
    for uid, size in reader.rows(_SIZES, *key, low, high, user_id):
        if octets and octets + size > _STEP:
            pieces.append((low, uid - 1))
            low, octets = uid, 0
        octets += size
    return [*pieces, (low, high)]


def changed(reader: Reader, key: Key, user_id: int, since: int) -> list[tuple[int, str, int]]:
    """Which values a user may see were set or removed after a modseq: UID, entry, and at which modseq."""
    return [(uid, entry, modseq) for uid, entry, modseq in reader.rows(_CHANGED, *key, since, user_id)]


def put(
    tx: Transaction,
    key: Key,
    user_id: int,
    values: Mapping[str, bytes | None],
    uids: Sequence[int],
    modseq: int,
    limits: Limits,
) -> None:
    """Set or remove entries of messages, for one user or for everybody; the mailbox is at `modseq` already.

    Raises:
        TooManyNotes: of one message.
        LimitReached: there would be too much in the account.
    """
    octets = sum(len(value) for value in values.values() if value is not None)
    step = max(1, _STEP // (octets + 1))
    for start in range(0, len(uids), step):
        some = uids[start : start + step]
        tx.run_many(
            _PUT,
            [(*key, uid, user_id, entry, value, modseq) for uid in some for entry, value in values.items()],
        )
        bound(tx, key[0], limits)
    most = limits.annotation_entries
    if any(value is not None for value in values.values()):
        for uid in uids:
            if tx.value(_MANY, *key, uid, user_id, most):
                raise TooManyNotes(f"{most} entries")
    mark(tx, key, modseq)
    for entry, value in values.items():
        _journal(tx, key, user_id, uids, entry, value, modseq)


def mark(tx: Transaction, key: Key, modseq: int) -> None:
    """Say that there are annotations in a mailbox, and when the latest was changed."""
    tx.run("UPDATE mailbox SET annotated = ? WHERE account_id = ? AND id = ?", modseq, *key)


def bound(tx: Transaction, account_id: int, limits: Limits) -> None:
    """Look whether there is too much; what was removed is forgotten first.

    Raises:
        LimitReached
    """
    most = limits.annotation_size
    if (tx.value(_USE, account_id) or 0) > most:
        tx.run(_FORGET_REMOVED, account_id)
        if tx.value(_USE, account_id) > most:
            raise LimitReached(f"{most} octets of annotations of messages")


def copy(tx: Transaction, origin: Origin, target: Key, uids: Mapping[int, int], modseq: int) -> None:
    """Let messages have the annotations of others; `uids` says which UID of the origin is which here now.

    Raises:
        LimitReached
    """
    noted = False
    for low, high in runs_of(uids):
        for uid, user_id, entry, value in tx.rows(_ALL, origin.account_id, origin.mailbox_id, low, high):
            if origin.users is not None and user_id not in origin.users:
                continue
            tx.run(_PUT, *target, uids[uid], user_id, entry, value, modseq)
            _journal(tx, target, user_id, [uids[uid]], entry, value, modseq)
            noted = True
        if noted and origin.limits is not None:
            bound(tx, target[0], origin.limits)
    if noted:
        mark(tx, target, modseq)


def has_any(reader: Reader, account_id: int) -> bool:
    """Whether an account ever had any."""
    return reader.value(_USE, account_id) is not None


def drop(tx: Transaction, key: Key, runs: Iterable[Sequence[int]]) -> None:
    """Drop the annotations of messages that are gone for good, as the first and last UID of each run."""
    tx.run_many(_DROP, [(*key, low, high) for low, high in runs])


def insert_found(tx: Transaction, rows: list[Row]) -> None:
    """Put back what the packs tell of, as rows of the table (`store rebuild`)."""
    tx.run_many(_PUT, rows)
    tx.run_many(
        "UPDATE mailbox SET annotated = max(annotated, ?) WHERE account_id = ? AND id = ?",
        list({(row[-1], *row[:2]) for row in rows}),
    )


def _journal(
    tx: Transaction,
    key: Key,
    user_id: int,
    uids: Sequence[int],
    entry: str,
    value: bytes | None,
    modseq: int,
) -> None:
    known = {} if value is None else {"value": value}
    tx.packs.journal(
        line(
            "note",
            account=key[0],
            mailbox=key[1],
            modseq=modseq,
            user=user_id,
            uids=uid_text(uids),
            entry=entry,
            **known,
        )
    )
