"""What has been expunged: kept for clients that come back, and forgotten at last (RFC 7162 §3.2, §5.3).

A tombstone is the UID of an expunged message and the modseq at which it went.
`mailbox.forgotten` is the floor: of that modseq and below some may be missing.
It is raised in the transaction that removes the first of them. How old
tombstones are is known from marks, the modseq of an account once a day.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from postroad.db.database import Database
from postroad.db.transaction import Reader, Row, Transaction

MARK_SECONDS: Final = 86400
"""How exactly the age of tombstones is known, and how often those of a mailbox are counted."""
_STEP: Final = 2000
"""Tombstones forgotten in one transaction."""
_ACCOUNTS: Final = 500
"""Accounts marked in one transaction."""

_UNMARKED: Final = (
    "SELECT id, modseq FROM account a WHERE"
    " modseq > coalesce((SELECT max(modseq) FROM modseq_mark WHERE account_id = a.id), 0)"
    " AND NOT EXISTS (SELECT 1 FROM modseq_mark WHERE account_id = a.id AND at > ?)"
)
_OLD: Final = "SELECT account_id, max(modseq) FROM modseq_mark WHERE at < ? GROUP BY account_id"
_BURIED: Final = (
    "SELECT mailbox_id, max(modseq) FROM tombstone WHERE account_id = ? AND modseq <= ? GROUP BY mailbox_id"
)
_CROWDED: Final = (
    "SELECT mailbox_id FROM tombstone WHERE account_id = ? GROUP BY mailbox_id HAVING count(*) > ?"
)
_LATEST_OVER: Final = (
    "SELECT modseq FROM tombstone WHERE account_id = ? AND mailbox_id = ?"
    " ORDER BY modseq DESC, uid DESC LIMIT 1 OFFSET ?"
)
_DELETE: Final = (
    "DELETE FROM tombstone WHERE (account_id, mailbox_id, modseq, uid) IN (SELECT account_id, mailbox_id,"
    " modseq, uid FROM tombstone WHERE account_id = ? AND mailbox_id = ? AND modseq <= ? LIMIT ?)"
)


def vanished(
    reader: Reader, account_id: int, mailbox_id: int, since: int, most: int = -1
) -> list[int] | None:
    """The UIDs expunged after modseq `since`, ascending; None where some may have been forgotten.

    Of very many about `most` are enough to see that they are.
    """
    forgotten = reader.value(
        "SELECT forgotten FROM mailbox WHERE account_id = ? AND id = ?", account_id, mailbox_id
    )
    if forgotten is None or since < forgotten:
        return None
    rows = reader.rows(
        "SELECT uid FROM tombstone WHERE account_id = ? AND mailbox_id = ? AND modseq > ? LIMIT ?",
        *(account_id, mailbox_id, since, most),
    )
    return sorted([uid for (uid,) in rows])


async def forget_tombstones(database: Database, now: float, *, seconds: float, most: int) -> int:
    """Forget tombstones older than `seconds`, and the oldest of more than `most` in a mailbox; give how many.

    Ages are known to a day; mailboxes in which nothing happens are not counted again.
    """
    forgotten = 0
    for account_id, modseq in await database.read_long(lambda r: r.rows(_OLD, int(now - seconds))):
        for mailbox_id, latest in database.read(lambda r, a=account_id, m=modseq: r.rows(_BURIED, a, m)):  # type: ignore[misc]
            forgotten += await _forget(database, account_id, mailbox_id, latest)
        await database.write(partial(_unmark, account_id=account_id, modseq=modseq))
    active = await database.read_long(lambda r: r.rows(_UNMARKED, int(now) - MARK_SECONDS))
    for account_id, _ in active:
        for mailbox_id, latest in database.read(partial(_overfull, account_id=account_id, most=most)):
            forgotten += await _forget(database, account_id, mailbox_id, latest)
    for start in range(0, len(active), _ACCOUNTS):
        await database.write(partial(_mark, accounts=active[start : start + _ACCOUNTS], now=int(now)))
    return forgotten


def _overfull(reader: Reader, *, account_id: int, most: int) -> list[Row]:
    """Mailboxes with too many tombstones, and the latest modseq of those that are too many."""
    return [
        (mailbox_id, reader.value(_LATEST_OVER, account_id, mailbox_id, most))
        for (mailbox_id,) in reader.rows(_CROWDED, account_id, most)
    ]


async def _forget(database: Database, account_id: int, mailbox_id: int, modseq: int) -> int:
    """Forget a mailbox's tombstones up to a modseq, in steps; give how many."""
    forgotten = 0
    while step := await database.write(
        partial(_forget_some, account_id=account_id, mailbox_id=mailbox_id, modseq=modseq)
    ):
        forgotten += step
    return forgotten


def _forget_some(tx: Transaction, *, account_id: int, mailbox_id: int, modseq: int) -> int:
    tx.run(
        "UPDATE mailbox SET forgotten = max(forgotten, ?) WHERE account_id = ? AND id = ?",
        *(modseq, account_id, mailbox_id),
    )
    tx.run(_DELETE, account_id, mailbox_id, modseq, _STEP)
    return tx.changes()


def _mark(tx: Transaction, *, accounts: Sequence[Row], now: int) -> None:
    tx.run_many(
        "INSERT OR IGNORE INTO modseq_mark (account_id, modseq, at) VALUES (?, ?, ?)",
        [(account_id, modseq, now) for account_id, modseq in accounts],
    )


def _unmark(tx: Transaction, *, account_id: int, modseq: int) -> None:
    tx.run("DELETE FROM modseq_mark WHERE account_id = ? AND modseq <= ?", account_id, modseq)
