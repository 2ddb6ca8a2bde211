"""Entries that come and go: copies, moves, expunges; plain functions over a transaction."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from postroad.config.limits import Limits
from postroad.db.transaction import Reader, Row, Transaction
from postroad.model.flags import DELETED, SEEN
from postroad.store import message_annotations
from postroad.store.blobs.record import MAGIC, encode, line
from postroad.store.errors import NoSuchMailbox, NoSuchMessage
from postroad.store.filing import ENTRY
from postroad.store.message_annotations import EVERYBODY
from postroad.store.quota import USE, check_quota
from postroad.store.runs import runs_of, uid_text
from postroad.store.types import CopyResult, Entry, Origin, Ranges

_COPY_LINE: Final = (
    MAGIC + b"copy account=%d mailbox=%d uid=%d modseq=%d message=%d flags=%d date=%d saved=%d keywords=%b\n"
)
_RUN: Final = "FROM entry WHERE account_id = ? AND mailbox_id = ? AND uid BETWEEN ? AND ?"
_COPY_RUN: Final = (
    "INSERT INTO entry (account_id, mailbox_id, uid, modseq, created_modseq, flags, keywords, size,"
    " internal_date, saved_date, message_id) SELECT account_id, ?1, uid + ?2, ?3, ?3, flags, keywords,"
    " size, internal_date, ?4, message_id FROM entry"
    " WHERE account_id = ?5 AND mailbox_id = ?6 AND uid BETWEEN ?7 AND ?8"
)
_BURY_RUN: Final = (
    "INSERT INTO tombstone (account_id, mailbox_id, modseq, uid)"
    f" SELECT account_id, mailbox_id, ?, uid {_RUN}"
)
_DELETE_RUN: Final = f"DELETE {_RUN}"
# With what says whether annotations may have to be copied, so that nobody has to ask.
_PLACE: Final = (
    "SELECT uidvalidity, uidnext, (SELECT annotated FROM mailbox WHERE account_id = ?3 AND id = ?4)"
    " FROM mailbox WHERE account_id = ?1 AND id = ?2"
)
ENTRY_COLUMNS: Final = "uid, modseq, flags, keywords, size, internal_date, message_id"
_KEEP_RUN: Final = (
    "INSERT INTO kept (account_id, mailbox_id, uid, at, flags, keywords, size, internal_date, message_id)"
    f" SELECT account_id, mailbox_id, uid, ?, flags, keywords, size, internal_date, message_id {_RUN}"
)
_UNUSED: Final = (
    "NOT EXISTS (SELECT 1 FROM entry WHERE account_id = message.account_id AND message_id = message.id)"
    " AND NOT EXISTS (SELECT 1 FROM kept WHERE account_id = message.account_id AND message_id = message.id)"
)
SELECT_RANGE: Final = (
    f"SELECT {ENTRY_COLUMNS} FROM entry"  # noqa: S608 - a constant
    " WHERE account_id = ? AND mailbox_id = ? AND uid BETWEEN ? AND ? ORDER BY uid"
)


def select_entries(reader: Reader, account_id: int, mailbox_id: int, uids: Ranges) -> list[Entry]:
    """The entries of `uids` that exist, by UID."""
    found: list[Entry] = []
    for low, high in uids:
        found += map(Entry._make, reader.rows(SELECT_RANGE, account_id, mailbox_id, low, high))
    return found


def keywords_in_use(reader: Reader, account_id: int, mailbox_id: int) -> list[str]:
    """The keywords that entries of a mailbox have."""
    rows = reader.rows(
        "SELECT DISTINCT keywords FROM entry WHERE account_id = ? AND mailbox_id = ?", account_id, mailbox_id
    )
    return sorted({word for (words,) in rows for word in words.split(" ") if word})


def modseq_of(reader: Reader, account_id: int, mailbox_id: int) -> int:
    """The modseq at which a mailbox is.

    Raises:
        NoSuchMailbox
    """
    modseq = reader.value(
        "SELECT modseq FROM mailbox WHERE account_id = ? AND id = ?", account_id, mailbox_id
    )
    if modseq is None:
        raise NoSuchMailbox(str(mailbox_id))
    return int(modseq)


def next_modseq(tx: Transaction, account_id: int) -> int:
    """Count the account's one counter up.

    Raises:
        NoSuchMailbox: the account is gone.
    """
    last = tx.value("SELECT modseq FROM account WHERE id = ?", account_id)
    if last is None:
        raise NoSuchMailbox(f"account {account_id} is gone")
    return count_up(tx, account_id, last)


def count_up(tx: Transaction, account_id: int, last: int) -> int:
    """The same for who knows already how far it is."""
    # RETURNING would cost more than the two statements: SQLite makes a table in memory for it.
    tx.run("UPDATE account SET modseq = ? WHERE id = ?", last + 1, account_id)
    tx.wake(f"account:{account_id}")
    return last + 1


def copy(
    tx: Transaction,
    account_id: int,
    mailbox_id: int,
    uids: Ranges,
    target_id: int,
    count: int | None,
    limits: Limits,
) -> CopyResult:
    """Copy entries, all or none (RFC 3501 §6.4.7); flags, dates and annotations go with them."""
    source = named(tx, account_id, mailbox_id, uids, count)
    origin = Origin(account_id, mailbox_id, (EVERYBODY, account_id), limits)
    result = enter(tx, account_id, source, target_id, origin, within=True)
    if source:
        check_quota(tx, account_id, charge_for(tx, account_id, source))
    return result


def charge_for(tx: Transaction, account_id: int, entries: Sequence[Entry]) -> Row:
    """Charge the account for entries that came; give what `check_quota` looks at."""
    use = tx.row(
        "UPDATE account SET bytes_used = bytes_used + ?, messages_used = messages_used + ? WHERE id = ?"  # noqa: S608
        f" RETURNING {USE}",
        *(sum(e.size for e in entries), len(entries), account_id),
    )
    return use or ()


def enter(
    tx: Transaction,
    account_id: int,
    source: Sequence[Entry],
    target_id: int,
    origin: Origin,
    *,
    within: bool = False,
) -> CopyResult:
    """Make entries like `source` in a mailbox, under new UIDs, and charge nobody for them.

    They have the UIDs of `origin`. With `within` they are like those of that mailbox in every
    way, which is of the same account, and are copied without coming by here.

    Raises:
        LimitReached: there would be too much in annotations.
    """
    place = tx.row(_PLACE, account_id, target_id, origin.account_id, origin.mailbox_id)
    if place is None:
        raise NoSuchMailbox(str(target_id))
    uidvalidity, first, annotated = place
    if not source:
        return CopyResult(uidvalidity, [], [])
    modseq = next_modseq(tx, account_id)
    now = int(tx.now)
    target = list(range(first, first + len(source)))
    if not within:
        tx.run_many(
            ENTRY,
            [
                (account_id, target_id, uid, modseq, modseq, *e[2:6], now, e.message_id)
                for uid, e in zip(target, source, strict=True)
            ],
        )
    else:
        shifted = _shifts(source, first)
        tx.run_many(
            _COPY_RUN,
            [(target_id, shift, modseq, now, account_id, origin.mailbox_id, a, b) for a, b, shift in shifted],
        )
    _add_to_counters(tx, account_id, target_id, source, modseq, +1)
    lines = [
        _COPY_LINE
        % (
            account_id,
            target_id,
            uid,
            modseq,
            e.message_id,
            e.flags,
            e.internal_date,
            now,
            encode(e.keywords),
        )
        for uid, e in zip(target, source, strict=True)
    ]
    tx.packs.journal(b"".join(lines))
    uids = [e.uid for e in source]
    if annotated or origin.expunged:
        pairs = dict(zip(uids, target, strict=True))
        message_annotations.copy(tx, origin, (account_id, target_id), pairs, modseq)
    return CopyResult(uidvalidity, uids, target)


def move(
    tx: Transaction,
    account_id: int,
    mailbox_id: int,
    uids: Ranges,
    target_id: int,
    count: int | None = None,
) -> CopyResult:
    """Copy and expunge in one transaction (RFC 6851 §3.3): never both, never neither."""
    # It takes no room, so that a full mailbox can still be tidied up.
    source = named(tx, account_id, mailbox_id, uids, count)
    origin = Origin(account_id, mailbox_id, (EVERYBODY, account_id))
    result = enter(tx, account_id, source, target_id, origin, within=True)
    if source:
        # Nothing is kept to be restored: all of it is in the other mailbox.
        modseq = take_out(tx, account_id, mailbox_id, source)
        journal_expunge(tx, account_id, mailbox_id, modseq, source)
    return result


def expunge(
    tx: Transaction, account_id: int, mailbox_id: int, uids: Ranges | None, only_deleted: bool, *, keep: bool
) -> list[int]:
    """Take entries out of a mailbox; give their UIDs. `uids` None means all.

    With `keep` they can be restored (`store.kept`); without they are gone for good.
    """
    found = select_entries(tx, account_id, mailbox_id, [(1, 2**32)] if uids is None else uids)
    if only_deleted:
        found = [e for e in found if e.flags & DELETED]
    if found:
        if keep:
            runs = runs_of(e.uid for e in found)
            tx.run_many(_KEEP_RUN, [(int(tx.now), account_id, mailbox_id, a, b) for a, b in runs])
        modseq = take_out(tx, account_id, mailbox_id, found, keep=keep)
        _discharge(tx, account_id, found)
        if keep:
            # The time tells `store rebuild` that they can be restored, and until when.
            journal_expunge(tx, account_id, mailbox_id, modseq, found, time=int(tx.now))
        else:
            release_messages(tx, account_id, {e.message_id for e in found})
            journal_expunge(tx, account_id, mailbox_id, modseq, found)
    return [e.uid for e in found]


def named(tx: Transaction, account_id: int, mailbox_id: int, uids: Ranges, count: int | None) -> list[Entry]:
    """The entries of `uids`; with a `count` there have to be so many."""
    found = select_entries(tx, account_id, mailbox_id, uids)
    if count is not None and len(found) < count:
        raise NoSuchMessage(f"{count - len(found)} of {count}")
    return found


def take_out(
    tx: Transaction, account_id: int, mailbox_id: int, gone: Sequence[Entry], *, keep: bool = False
) -> int:
    """Take entries out and leave tombstones; what becomes of their messages is for the caller.

    Their annotations go, unless they are kept to be restored.
    """
    modseq = next_modseq(tx, account_id)
    runs = runs_of(e.uid for e in gone)
    tx.run_many(_BURY_RUN, [(modseq, account_id, mailbox_id, a, b) for a, b in runs])
    tx.run_many(_DELETE_RUN, [(account_id, mailbox_id, a, b) for a, b in runs])
    annotated = _add_to_counters(tx, account_id, mailbox_id, gone, modseq, -1)
    if annotated and not keep:
        message_annotations.drop(tx, (account_id, mailbox_id), runs)
    return modseq


def release_messages(
    tx: Transaction, account_id: int, message_ids: Iterable[int], *, since: int | None = None
) -> None:
    """Drop the wide rows, and the use of blobs, of messages that are in no mailbox and not kept.

    `since` is when the last session can have begun to read them, by default now.
    """
    keys = [(int(tx.now) if since is None else since, account_id, m) for m in message_ids]
    tx.run_many(
        "UPDATE blob SET refs = refs - 1, freed_at = CASE WHEN refs = 1 THEN ? END WHERE id ="  # noqa: S608 - a constant
        f" (SELECT blob_id FROM message WHERE account_id = ? AND id = ? AND {_UNUSED})",
        keys,
    )
    tx.run_many(
        f"DELETE FROM message WHERE account_id = ? AND id = ? AND {_UNUSED}",  # noqa: S608 - a constant
        [key[1:] for key in keys],
    )


def _add_to_counters(
    tx: Transaction, account_id: int, mailbox_id: int, entries: Sequence[Entry], modseq: int, sign: int
) -> int:
    """Count entries that came or went; give whether messages of the mailbox have annotations."""
    annotated = tx.value(
        "UPDATE mailbox SET modseq = ?, messages = messages + ?, unseen = unseen + ?, deleted = deleted + ?,"
        " size = size + ?, uidnext = uidnext + ? WHERE account_id = ? AND id = ? RETURNING annotated",
        modseq,
        sign * len(entries),
        sign * sum(not e.flags & SEEN for e in entries),
        sign * sum(bool(e.flags & DELETED) for e in entries),
        sign * sum(e.size for e in entries),
        len(entries) if sign > 0 else 0,
        account_id,
        mailbox_id,
    )
    return int(annotated or 0)


def _discharge(tx: Transaction, account_id: int, entries: Sequence[Entry]) -> None:
    tx.run(
        "UPDATE account SET bytes_used = bytes_used - ?, messages_used = messages_used - ? WHERE id = ?",
        *(sum(e.size for e in entries), len(entries), account_id),
    )


def journal_expunge(
    tx: Transaction, account_id: int, mailbox_id: int, modseq: int, gone: Sequence[Entry], **time: int
) -> None:
    uids = uid_text(e.uid for e in gone)
    tx.packs.journal(
        line("expunge", account=account_id, mailbox=mailbox_id, modseq=modseq, uids=uids, **time)
    )


def _shifts(source: Sequence[Entry], first: int) -> Iterator[tuple[int, int, int]]:
    """The runs of `source`, each with what makes its UIDs those from `first` on, without gaps."""
    for a, b in runs_of(e.uid for e in source):
        yield a, b, first - a
        first += b - a + 1
