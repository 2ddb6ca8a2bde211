"""What an account starts with in the store, and how it ends there."""

from typing import Final

from postroad.db.transaction import Transaction
from postroad.store.blobs.record import line
from postroad.store.entries import release_messages
from postroad.store.mailboxes import create, subscribe

FIRST_MAILBOXES: Final = (
    ("INBOX", ""),
    ("Archive", "\\Archive"),
    ("Drafts", "\\Drafts"),
    ("Junk", "\\Junk"),
    ("Sent", "\\Sent"),
    ("Trash", "\\Trash"),
)
"""RFC 6154 §2; all are subscribed, because several clients show nothing else."""


def create_mailboxes(tx: Transaction, account_id: int) -> None:
    """Make the mailboxes that every account has from the start."""
    for name, special_use in FIRST_MAILBOXES:
        create(tx, account_id, name, special_use)
        subscribe(tx, account_id, name, on=True)


def remove(tx: Transaction, account_id: int) -> None:
    """Remove everything that the account has in the store."""
    messages = tx.rows("SELECT DISTINCT message_id FROM entry WHERE account_id = ?", account_id)
    tx.run("DELETE FROM entry WHERE account_id = ?", account_id)
    release_messages(tx, account_id, [message for (message,) in messages])
    for table in ("mailbox", "mailbox_tombstone", "subscription", "tombstone", "thread_reference"):
        tx.run(f"DELETE FROM {table} WHERE account_id = ?", account_id)  # noqa: S608 - names from the line above
    tx.packs.journal(line("unaccount", account=account_id))
    tx.wake(f"account:{account_id}")
