"""\\Seen of those who are not the owner of a mailbox: each has an own one, all other flags are everybody's.

The entries of a mailbox as such a user sees them are those of the owner with
another \\Seen, and with the mod-sequence of whatever changed last. The modseq
of the mailbox counts changes of either kind, so nobody misses one.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from postroad.db.database import Database
from postroad.db.transaction import Reader, Row, Transaction
from postroad.model.flags import SEEN
from postroad.store.blobs.record import line
from postroad.store.runs import uid_text
from postroad.store.types import Entry, Ranges

_COLUMNS: Final = (
    f"e.uid, max(e.modseq, coalesce(s.modseq, 0)), (e.flags & ~{SEEN}) | coalesce(s.seen, 0) * {SEEN},"
    " e.keywords, e.size, e.internal_date, e.message_id"
)
_JOINED: Final = (
    f"SELECT {_COLUMNS} FROM entry e LEFT JOIN seen s ON s.account_id = e.account_id"  # noqa: S608 - constants
    " AND s.mailbox_id = e.mailbox_id AND s.user_id = ?3 AND s.uid = e.uid"
    " WHERE e.account_id = ?1 AND e.mailbox_id = ?2"
)
_RANGE: Final = f"{_JOINED} AND e.uid BETWEEN ?4 AND ?5 ORDER BY e.uid LIMIT ?6"
_CHANGED: Final = (
    f"{_JOINED} AND e.modseq > ?4 UNION {_JOINED} AND e.uid IN (SELECT uid FROM seen"  # noqa: S608 - constants
    " WHERE account_id = ?1 AND mailbox_id = ?2 AND user_id = ?3 AND modseq > ?4)"
)
_COUNT: Final = (
    "SELECT count(*) FROM seen s JOIN entry e ON e.account_id = s.account_id"
    " AND e.mailbox_id = s.mailbox_id AND e.uid = s.uid"
    " WHERE s.account_id = ? AND s.mailbox_id = ? AND s.user_id = ? AND s.seen = 1"
)
_PUT: Final = (
    "INSERT OR REPLACE INTO seen (account_id, mailbox_id, user_id, uid, seen, modseq)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_DROP: Final = "DELETE FROM seen WHERE account_id = ? AND mailbox_id = ? AND user_id = ? AND uid = ?"
_GONE: Final = (
    "SELECT account_id, mailbox_id, user_id, uid FROM seen s WHERE NOT EXISTS (SELECT 1 FROM entry e"
    " WHERE e.account_id = s.account_id AND e.mailbox_id = s.mailbox_id AND e.uid = s.uid) LIMIT ?"
)
_STEP: Final = 2000


def rows(
    reader: Reader, account_id: int, mailbox_id: int, user_id: int, low: int, high: int, most: int = -1
) -> list[Entry]:
    """The entries of a range of UIDs as a user sees them, by UID."""
    found = reader.rows(_RANGE, account_id, mailbox_id, user_id, low, high, most)
    return list(map(Entry._make, found))


def entries(reader: Reader, account_id: int, mailbox_id: int, user_id: int, uids: Ranges) -> list[Entry]:
    """The entries of `uids` that exist, by UID."""
    return [entry for low, high in uids for entry in rows(reader, account_id, mailbox_id, user_id, low, high)]


def changed(reader: Reader, account_id: int, mailbox_id: int, user_id: int, since: int) -> list[Row]:
    """Entries that are new or have changed for a user after a modseq."""
    return reader.rows(_CHANGED, account_id, mailbox_id, user_id, since)


def count(reader: Reader, account_id: int, mailbox_id: int, user_id: int) -> int:
    """How many messages a user has seen."""
    return int(reader.value(_COUNT, account_id, mailbox_id, user_id))


def mark(
    tx: Transaction,
    account_id: int,
    mailbox_id: int,
    user_id: int,
    uids: Sequence[int],
    on: bool,
    modseq: int,
) -> None:
    """Set or clear \\Seen of ascending UIDs for a user; the mailbox is at `modseq` already."""
    if not uids:
        return
    tx.run_many(_PUT, [(account_id, mailbox_id, user_id, uid, int(on), modseq) for uid in uids])
    tx.packs.journal(
        line(
            "seen",
            account=account_id,
            mailbox=mailbox_id,
            modseq=modseq,
            user=user_id,
            on=int(on),
            uids=uid_text(uids),
        )
    )


def forget(tx: Transaction, account_id: int, mailbox_id: int) -> None:
    """Drop what was seen in a mailbox that is gone."""
    tx.run("DELETE FROM seen WHERE account_id = ? AND mailbox_id = ?", account_id, mailbox_id)


def insert_found(tx: Transaction, found: Iterable[Row]) -> None:
    """Put back what the packs tell of, as rows of the table (`store rebuild`)."""
    tx.run_many(_PUT, list(found))


async def forget_gone(database: Database) -> int:
    """Drop what was seen of messages that are there no more; give how many.

    UIDs are never used twice, so nobody is misled meanwhile, and expunging
    one's own mail does not have to look for others' marks.
    """
    forgotten = 0
    while gone := await database.read_long(lambda reader: reader.rows(_GONE, _STEP)):
        await database.write(lambda tx, keys=gone: tx.run_many(_DROP, keys))  # type: ignore[misc]
        forgotten += len(gone)
    return forgotten
