"""Annotations: named values of a mailbox or of the server, for one user or for all (RFC 5464 §3).

A value is a row of `annotation`. A row without one tells those who follow
that the entry has changed: it was removed, or its value is kept elsewhere.
"""

from typing import Final, NamedTuple, TypeAlias

from postroad.config.limits import Limits
from postroad.db.transaction import Reader, Row, Transaction
from postroad.store.blobs.record import line
from postroad.store.entries import next_modseq
from postroad.store.errors import LimitReached, TooManyAnnotations

SERVER: Final = 0
"""The number that stands for the server as a whole, where others stand for mailboxes."""
EVERYBODY: Final = 0
"""Who has what is under /shared."""
Key: TypeAlias = tuple[int, int, int, str]
"""Account, mailbox, user, entry."""
_OVERHEAD: Final = 500
"""Octets that an entry counts for beside its name and value, so that tiny ones are bounded in number too."""

_ONE: Final = (
    "SELECT entry, value FROM annotation WHERE account_id = ? AND mailbox_id = ? AND user_id = ?"
    " AND entry = ? AND value IS NOT NULL"
)
# "0" is what follows "/".
_BELOW: Final = (
    "SELECT entry, value FROM annotation WHERE account_id = ?1 AND mailbox_id = ?2 AND user_id = ?3"
    " AND entry > ?4 || '/' AND entry < ?4 || '0' AND value IS NOT NULL"
)
_PUT: Final = (
    "INSERT OR REPLACE INTO annotation (account_id, mailbox_id, user_id, entry, value, modseq)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_COUNT: Final = (
    "SELECT count(*) FROM annotation WHERE account_id = ? AND mailbox_id = ? AND user_id = ?"
    " AND value IS NOT NULL"
)
_OCTETS: Final = (
    "SELECT total(length(entry) + length(value) + ?) FROM annotation WHERE account_id = ?"
    " AND value IS NOT NULL"
)
_FORGET: Final = (
    "DELETE FROM annotation WHERE account_id = ?1 AND mailbox_id = ?2 AND user_id = ?3 AND value IS NULL"
    " AND entry NOT IN (SELECT entry FROM annotation WHERE account_id = ?1 AND mailbox_id = ?2"
    " AND user_id = ?3 AND value IS NULL ORDER BY modseq DESC LIMIT ?4)"
)


class Changed(NamedTuple):
    """An entry that has been set or removed."""

    mailbox_id: int
    entry: str
    modseq: int


def find(
    reader: Reader, account_id: int, mailbox_id: int, user_id: int, name: str, depth: int = 0
) -> dict[str, bytes]:
    """The entry of a name, and those up to `depth` levels below it, as far as they have a value."""
    whose = whose_is(name, user_id)
    rows = reader.rows(_ONE, account_id, mailbox_id, whose, name)
    if depth:
        levels = name.count("/") + depth
        below = reader.rows(_BELOW, account_id, mailbox_id, whose, name)
        rows += [row for row in below if row[0].count("/") <= levels]
    return dict(rows)


def put(tx: Transaction, key: Key, value: bytes | None, modseq: int) -> bool:
    """Set an entry, or remove it; whether that was a change."""
    if value is None and not tx.rows(_ONE, *key):
        return False
    tx.run(_PUT, *key, value, modseq)
    account_id, mailbox_id, user_id, entry = key
    known = {} if value is None else {"value": value}
    tx.packs.journal(
        line(
            "annotation",
            account=account_id,
            mailbox=mailbox_id,
            modseq=modseq,
            user=user_id,
            entry=entry,
            **known,
        )
    )
    return True


def note_change(tx: Transaction, key: Key, modseq: int) -> None:
    """Tell those who follow that an entry has changed whose value is kept elsewhere."""
    tx.run(_PUT, *key, None, modseq)


def bound(tx: Transaction, account_id: int, mailbox_id: int, user_id: int, limits: Limits) -> None:
    """Look whether there are too many entries, or too much in them, and forget old changes.

    Raises:
        TooManyAnnotations: of one mailbox.
        LimitReached: of the account.
    """
    most = limits.metadata_entries
    tx.run(_FORGET, account_id, mailbox_id, user_id, most)
    if tx.value(_COUNT, account_id, mailbox_id, user_id) > most:
        raise TooManyAnnotations(f"{most} entries")
    if tx.value(_OCTETS, _OVERHEAD, account_id) > limits.metadata_size:
        raise LimitReached(f"{limits.metadata_size} octets of annotations")


def changed(reader: Reader, account_id: int, user_id: int, since: int) -> list[Changed]:
    """What was set or removed after a modseq, of what a user may see, by mailbox and name."""
    rows = reader.rows(
        "SELECT mailbox_id, entry, modseq FROM annotation WHERE account_id = ? AND modseq > ?"
        " AND user_id IN (?, ?) ORDER BY mailbox_id, entry",
        *(account_id, since, user_id, EVERYBODY),
    )
    return list(map(Changed._make, rows))


def copy(tx: Transaction, account_id: int, mailbox_id: int, target_id: int) -> None:
    """Let a mailbox have the annotations of another, everybody's: it takes its place."""
    rows = tx.rows(
        "SELECT user_id, entry, value FROM annotation"
        " WHERE account_id = ? AND mailbox_id = ? AND value IS NOT NULL",
        *(account_id, mailbox_id),
    )
    if rows:
        modseq = next_modseq(tx, account_id)
        for user_id, entry, value in rows:
            put(tx, (account_id, target_id, user_id, entry), value, modseq)


def forget(tx: Transaction, account_id: int, mailbox_id: int) -> None:
    """Drop the annotations of a mailbox that is gone for good."""
    tx.run("DELETE FROM annotation WHERE account_id = ? AND mailbox_id = ?", account_id, mailbox_id)


def insert_found(tx: Transaction, rows: list[Row]) -> None:
    """Put back what the packs tell of, as rows of the table (`store rebuild`)."""
    tx.run_many(_PUT, rows)


def whose_is(entry: str, user_id: int) -> int:
    """Under whom an entry is kept that a user names."""
    return EVERYBODY if entry.startswith("/shared") else user_id
