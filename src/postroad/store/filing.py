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
    f"SELECT a.modseq, a.next_message_id, m.uidnext, m.uidvalidity, {USE}"  # noqa: S608 - constants
    " FROM account a JOIN mailbox m ON m.account_id = a.id WHERE a.id = ? AND m.id = ?"
)
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
    tx.run(_BLOB, None, pack, offset, parcel.size, parcel.digest, refs)
    return Blob(tx.inserted(), pack, offset)


def put_blobs(tx: Transaction, bodies: Sequence[Prepared]) -> list[Blob]:
    """Append bodies with one user each."""
    if len(bodies) == 1:
        return [put_blob(tx, bodies[0], 1)]
    first = tx.value("SELECT coalesce(max(id), 0) + 1 FROM blob")  # as SQLite itself would number them
    blobs = [
        Blob(number, *tx.packs.blob(prepared.body, prepared.digest, tx.now))
        for number, prepared in enumerate(bodies, first)
    ]
    tx.run_many(
        _BLOB,
        [(*blob, prepared.size, prepared.digest, 1) for blob, prepared in zip(blobs, bodies, strict=True)],
    )
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

    @property
    def size(self) -> int:
        """Octets as they are served."""
        return len(self.prefix) + self.prepared.size


def file_message(tx: Transaction, account_id: int, mailbox_id: int, letter: Letter) -> Filed:
    """File one message (see `file_messages`)."""
    return file_messages(tx, account_id, mailbox_id, [letter])[0]


def file_messages(
    tx: Transaction, account_id: int, mailbox_id: int, letters: Sequence[Letter]
) -> list[Filed]:
    """Make entries for blobs that are already in a pack, all at one modseq.

    Raises:
        OverQuota: quota is checked and charged in this one transaction.
        NoSuchMailbox: the mailbox or the account is gone.
    """
    sizes = [letter.size for letter in letters]
    count, size = len(letters), sum(sizes)
    place = tx.row(_PLACE, account_id, mailbox_id)
    if place is None:
        raise NoSuchMailbox(f"mailbox {mailbox_id} of account {account_id}")
    last_modseq, first_message, first_uid, uidvalidity, octets, octets_limit, messages, *more_limits = place
    modseq, octets, messages = last_modseq + 1, octets + size, messages + count
    tx.run(_CHARGE, modseq, first_message + count, octets, messages, account_id)
    check_quota(tx, account_id, (octets, octets_limit, messages, *more_limits))
    unseen = sum(not letter.flags & SEEN for letter in letters)
    deleted = sum(bool(letter.flags & DELETED) for letter in letters)
    tx.run(_COUNT, first_uid + count, modseq, count, unseen, deleted, size, account_id, mailbox_id)
    now = int(tx.now)
    threads = find_threads(tx, account_id, first_message, [letter.prepared.summary for letter in letters])
    filed: list[Filed] = []
    wide: list[Row] = []
    entries: list[Row] = []
    lines: list[bytes] = []
    for n, (blob, prepared, prefix, flags, keywords, internal_date) in enumerate(letters):
        uid, message_id = first_uid + n, first_message + n
        date = now if internal_date is None else internal_date
        wide.append(_row(account_id, message_id, blob.id, threads[n], prepared, prefix))
        entries.append(
            (
                *(account_id, mailbox_id, uid, modseq, modseq, flags, keywords, sizes[n]),
                *(date, now, message_id),
            )
        )
        filed.append(Filed(mailbox_id, uidvalidity, uid, modseq, message_id))
        lines.append(
            _FILE_LINE
            % (
                *(account_id, mailbox_id, uid, modseq, message_id, flags, date, now, threads[n]),
                *(blob.pack, blob.offset, encode(keywords), encode(prefix)),
            )
        )
    tx.packs.journal(b"".join(lines))
    tx.run_many(_MESSAGE, wide)
    tx.run_many(ENTRY, entries)
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
    tx.run(_MESSAGE, *_row(account_id, message_id, blob_id, thread_id, prepared, prefix))


def _row(
    account_id: int, message_id: int, blob_id: int, thread_id: int, prepared: Prepared, prefix: bytes
) -> Row:
    summary = prepared.summary
    size = len(prefix) + prepared.size
    return (
        *(account_id, message_id, blob_id, size, summary.sent, thread_id, summary.message_id, prefix),
        *(summary.subject, summary.base_subject, summary.sender, summary.preview),
        *(summary.envelope, summary.body, summary.bodystructure, summary.tree),
        " ".join(summary.ancestors),
    )
