"""Final delivery: an accepted message into the mailboxes of its local recipients."""

from collections.abc import Sequence

from msgspec import Struct

from postroad.db.transaction import Transaction
from postroad.delivery.trace_fields import delivery_fields
from postroad.directory.resolve import AccountTarget
from postroad.model.address import Address
from postroad.store.errors import NoSuchMailbox
from postroad.store.filing import Blob, Filed, Letter, file_message
from postroad.store.prepare import Prepared
from postroad.trail.note import Note


class Delivery(Struct, frozen=True):
    """What is delivered: a blob that is in a pack already, and the trace lines above it."""

    sender: Address | None
    blob: Blob
    prepared: Prepared
    received: bytes = b""


def deliver(tx: Transaction, delivery: Delivery, targets: Sequence[AccountTarget]) -> list[Note]:
    """File the message for every target; give the notes for its trail.

    Raises:
        OverQuota: one of the accounts filled up after RCPT; nothing of the message is kept.
    """
    notes = []
    for target in targets:
        filed = deliver_one(tx, delivery, target)
        facts: dict[str, str | int | float | bool | list[str]] = {
            "account": str(target.address),
            "recipient": str(target.delivered_to),
            "mailbox": "INBOX",
            "uid": filed.uid,
        }
        notes.append(Note("filed", facts))
    return notes


def deliver_one(tx: Transaction, delivery: Delivery, target: AccountTarget) -> Filed:
    """File the message in one INBOX."""
    inbox = tx.value("SELECT id FROM mailbox WHERE account_id = ? AND name = 'INBOX'", target.account_id)
    if inbox is None:
        raise NoSuchMailbox(f"account {target.account_id} has no INBOX")
    prefix = delivery_fields(delivery.sender, target.delivered_to) + delivery.received
    return file_message(tx, target.account_id, inbox, Letter(delivery.blob, delivery.prepared, prefix))
