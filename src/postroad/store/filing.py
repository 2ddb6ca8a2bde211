"""Putting a message into a mailbox: plain functions over a transaction."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from postroad.db.transaction import Row, Transaction
from postroad.model.flags import DELETED, SEEN
from postroad.store.blobs.record import MAGIC, encode
from postroad.store.errors import NoSuchMailbox
from postroad.store.prepare import Parcel, Prepared
from postroad.store.quota import USE, check_quota
from postroad.store.threads import find_threads, keep_thread

# One question and two changes cost less than two changes with RETURNING, for each of which SQLite makes a
# table in memory.
_PLACE: Final = (
    f"SELECT m.id, a.modseq, a.next_message_id, m.uidnext, m.uidvalidity, {USE}"  # noqa: S608 - constants
    " FROM account a JOIN mailbox m ON m.account_id = a.id WHERE a.id = ? AND "
)
_BY_ID: Final = f"{_PLACE} m.id = ?"
_BY_NAME: Final = f"{_PLACE} m.name = ?"
_CHARGE: Final = (
    "UPDATE account SET modseq = ?, next_message_id = ?, bytes_used = ?, messages_used = ? WHERE id = ?"
)
_COUNT: Final = (
    "UPDATE mailbox SET uidnext = ?, modseq = ?, messages = messages + ?,"
    " unseen = unseen + ?, deleted = deleted + ?, size = size + ? WHERE account_id = ? AND id = ?"
)
_BLOB: Final = "INSERT INTO blob (id, pack, offset, length, digest, refs) VALUES (?, ?, ?, ?, ?, ?)"
_MESSAGE: Final = (
    "INSERT INTO message (account_id, id, blob_id, size, sent, thread_id, msgid, prefix, subject,"
    " base_subject, sender, preview, envelope, body, bodystructure, tree, ancestors)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
ENTRY: Final = (
    "INSERT INTO entry (account_id, mailbox_id, uid, modseq, created_modseq, flags, keywords, size,"
    " internal_date, saved_date, message_id) VALUES (?,?,?,?,?,?,?,?,?,?,?)"
)
_FILE_LINE: Final = (
    MAGIC + b"file account=%d mailbox=%d uid=%d modseq=%d message=%d flags=%d date=%d saved=%d"
    b" thread=%d blob=%d:%d keywords=%b prefix=%b\n"
)


class Blob(NamedTuple):
    """A message's octets in a pack."""

    id: int
    pack: int
    offset: int


class Filed(NamedTuple):
    """Where a message went."""

    mailbox_id: int
    uidvalidity: int
    uid: int
    modseq: int
    message_id: int


def put_blob(tx: Transaction, parcel: Parcel, refs: int) -> Blob:
    """Append the body to the active pack, once, for `refs` users."""
    pack, offset = tx.packs.blob(parcel.body, parcel.digest, tx.now)
    tx.run(_BLOB, None, pack, offset, len(parcel.body), parcel.digest, refs)
    return Blob(tx.inserted(), pack, offset)


def put_blobs(tx: Transaction, parcels: Sequence[tuple[Parcel, int]]) -> list[Blob]:
    """Append bodies, each for so many users."""
    if len(parcels) == 1:
        return [put_blob(tx, *parcels[0])]
    number = tx.value("SELECT coalesce(max(id), 0) FROM blob")  # as SQLite itself would number them
    blobs: list[Blob] = []
    rows: list[Row] = []
    for parcel, refs in parcels:
        number += 1
        body, digest = parcel.body, parcel.digest
        blob = Blob(number, *tx.packs.blob(body, digest, tx.now))
        blobs.append(blob)
        rows.append((*blob, len(body), digest, refs))
    tx.insert_many(_BLOB, rows)
    return blobs


def release_blob(tx: Transaction, blob_id: int) -> None:
    """One user less; the sweeper frees the octets of a blob that nobody uses."""
    tx.run(
        "UPDATE blob SET refs = refs - 1, freed_at = CASE WHEN refs = 1 THEN ? END WHERE id = ?",
        int(tx.now),
        blob_id,
    )


class Letter(NamedTuple):
    """A message for one mailbox; its octets are in a pack already."""

    blob: Blob
    prepared: Prepared
    prefix: bytes = b""
    """Trace fields that are this recipient's own."""
    flags: int = 0
    keywords: str = ""
    internal_date: int | None = None
    """None for now."""


class Sheet:
    """What filing has to write, until all of it is written at once."""

    __slots__ = ("_entries", "_lines", "_wide")

    def __init__(self) -> None:
        self._wide: list[Row] = []
        self._entries: list[Row] = []
        self._lines: list[bytes] = []

    def add(self, wide: Row, entry: Row, line: bytes) -> None:
        """A message in a mailbox."""
        self._wide.append(wide)
        self._entries.append(entry)
        self._lines.append(line)

    def write(self, tx: Transaction) -> None:
        """Write all of it; in the transaction that has charged for it."""
        if self._lines:
            tx.packs.journal(b"".join(self._lines))
            tx.insert_many(_MESSAGE, self._wide)
            tx.insert_many(ENTRY, self._entries)


def file_messages(
    tx: Transaction, account_id: int, mailbox_id: int, letters: Sequence[Letter]
) -> list[Filed]:
    """Make entries for blobs that are already in a pack, all at one modseq (see `enter`)."""
    sheet = Sheet()
    filed = enter(tx, account_id, mailbox_id, letters, sheet)
    sheet.write(tx)
    return filed


def enter(
    tx: Transaction, account_id: int, mailbox: int | str, letters: Sequence[Letter], sheet: Sheet
) -> list[Filed]:
    """Give blobs that are already in a pack their places in a mailbox, all at one modseq.

    The mailbox is named by its id or by its name. They are there when the sheet is written.

    Raises:
        OverQuota: quota is checked and charged in this one transaction.
        NoSuchMailbox: the mailbox or the account is gone.
    """
    place = tx.row(_BY_NAME if isinstance(mailbox, str) else _BY_ID, account_id, mailbox)
    if place is None:
        raise NoSuchMailbox(f"mailbox {mailbox} of account {account_id}")
    mailbox_id, last_modseq, first_message, first_uid, uidvalidity, *use = place
    octets, octets_limit, messages, *more_limits = use
    modseq, now, count = last_modseq + 1, int(tx.now), len(letters)
    threads = find_threads(tx, account_id, first_message, [letter.prepared.summary for letter in letters])
    filed: list[Filed] = []
    size = unseen = deleted = 0
    for n, (blob, prepared, prefix, flags, keywords, internal_date) in enumerate(letters):
        uid, message_id, thread_id = first_uid + n, first_message + n, threads[n]
        date = now if internal_date is None else internal_date
        its_size = len(prefix) + len(prepared.body)
        size += its_size
        unseen += not flags & SEEN
        deleted += bool(flags & DELETED)
        sheet.add(
            _row(account_id, message_id, blob.id, thread_id, prepared, prefix, its_size),
            (
                *(account_id, mailbox_id, uid, modseq, modseq, flags, keywords, its_size),
                *(date, now, message_id),
            ),
            _FILE_LINE
            % (
                *(account_id, mailbox_id, uid, modseq, message_id, flags, date, now, thread_id),
                *(blob.pack, blob.offset, encode(keywords), encode(prefix)),
            ),
        )
        filed.append(Filed(mailbox_id, uidvalidity, uid, modseq, message_id))
    octets, messages = octets + size, messages + count
    tx.run(_CHARGE, modseq, first_message + count, octets, messages, account_id)
    check_quota(tx, account_id, (octets, octets_limit, messages, *more_limits))
    tx.run(_COUNT, first_uid + count, modseq, count, unseen, deleted, size, account_id, mailbox_id)
    tx.wake(f"account:{account_id}")
    return filed


def insert_message(
    tx: Transaction,
    account_id: int,
    message_id: int,
    blob_id: int,
    prepared: Prepared,
    prefix: bytes,
    thread_id: int,
) -> None:
    """Write the wide row of a message; a `thread_id` of 0 is unknown and is found."""
    if thread_id:
        keep_thread(tx, account_id, thread_id, prepared.summary)
    else:
        thread_id = find_threads(tx, account_id, message_id, [prepared.summary])[0]
    size = len(prefix) + prepared.size
    tx.run(_MESSAGE, *_row(account_id, message_id, blob_id, thread_id, prepared, prefix, size))


def _row(
    account_id: int,
    message_id: int,
    blob_id: int,
    thread_id: int,
    prepared: Prepared,
    prefix: bytes,
    size: int,
) -> Row:
    summary = prepared.summary
    return (
        *(account_id, message_id, blob_id, size, summary.sent, thread_id, summary.message_id, prefix),
        *(summary.subject, summary.base_subject, summary.sender, summary.preview),
        *(summary.envelope, summary.body, summary.bodystructure, summary.tree),
        " ".join(summary.ancestors),
    )
