"""What an account starts with in the store, and how it ends there."""

from typing import Final

from postroad.db.transaction import Transaction
from postroad.store.blobs.record import line
from postroad.store.entries import next_modseq, release_messages
from postroad.store.mailboxes import create, note_subscription

FIRST_MAILBOXES: Final = (
    ("INBOX", ""),
    ("Archive", "\\Archive"),
    ("Drafts", "\\Drafts"),
    ("Junk", "\\Junk"),
    ("Sent", "\\Sent"),
    ("Trash", "\\Trash"),
)
"""RFC 6154 §2; all are subscribed, because several clients show nothing else."""


_OF_AN_ACCOUNT: Final = (
    *("mailbox", "mailbox_tombstone", "subscription", "tombstone", "thread_reference", "kept_mailbox"),
    *(
        "listing",
        "modseq_mark",
        "annotation",
        "message_annotation",
        "annotation_use",
        "share",
        "seen",
        "url_key",
    ),
)


_OF_A_USER: Final = ("annotation", "message_annotation", "share", "seen")
"""Where it stands in others' mailboxes."""


def create_mailboxes(tx: Transaction, account_id: int) -> None:
    """Make the mailboxes that every account has from the start."""
    for name, special_use in FIRST_MAILBOXES:
        create(tx, account_id, name, special_use)
        note_subscription(tx, account_id, name, on=True)


def close(tx: Transaction, account_id: int) -> None:
    """Note that an account was removed; everything that it has stays, for `reopen` or `erase`.

    The directory moves its row to `kept_account` in the same transaction.
    """
    modseq = next_modseq(tx, account_id)
    tx.packs.journal(line("removed", account=account_id, modseq=modseq, time=int(tx.now)))


def reopen(tx: Transaction, account_id: int) -> None:
    """Note that a removed account is back in the directory."""
    modseq = next_modseq(tx, account_id)
    tx.packs.journal(line("restored", account=account_id, modseq=modseq))


def erase(tx: Transaction, account_id: int, *, most: int | None = None, since: int | None = None) -> bool:
    """Remove everything that an account has in the store, or about `most` messages of it.

    Gives whether that was all. `since` is when its last session ended, by default now.
    """
    for table in ("entry", "kept"):
        rows = tx.rows(
            f"SELECT mailbox_id, uid, message_id FROM {table} WHERE account_id = ? LIMIT ?",  # noqa: S608 - names from the line above
            *(account_id, -1 if most is None else most),
        )
        tx.run_many(
            f"DELETE FROM {table} WHERE account_id = ? AND mailbox_id = ? AND uid = ?",  # noqa: S608 - see above
            [(account_id, mailbox_id, uid) for mailbox_id, uid, _ in rows],
        )
        release_messages(tx, account_id, {message for _, _, message in rows}, since=since)
        if rows and len(rows) == most:
            return False
    for table in _OF_AN_ACCOUNT:
        tx.run(f"DELETE FROM {table} WHERE account_id = ?", account_id)  # noqa: S608 - names from the line above
    for table in _OF_A_USER:
        tx.run(f"DELETE FROM {table} WHERE user_id = ?", account_id)  # noqa: S608 - names from above
    tx.packs.journal(line("unaccount", account=account_id))
    tx.wake(f"account:{account_id}")
    return True
