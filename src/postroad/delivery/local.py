"""Final delivery: an accepted message into the mailboxes of its local recipients."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from postroad.db.transaction import Transaction
from postroad.delivery.trace_fields import delivery_fields
from postroad.directory.resolve import AccountTarget
from postroad.model.address import Address
from postroad.store.filing import Blob, Filed, Letter, Sheet, enter
from postroad.store.mailboxes import by_name, create
from postroad.store.prepare import Parcel, Prepared
from postroad.trail.note import Fact, Note

_INBOX: Final = "INBOX"
_JUNK: Final = "\\Junk"


class Delivery(Struct, frozen=True):
    """What is delivered: a blob that is in a pack already, and the trace lines above it."""

    sender: Address | None
    blob: Blob
    parcel: Parcel
    """`Prepared`, if a mailbox is to get it."""
    received: bytes = b""
    junk: frozenset[str] = frozenset()
    """Domains whose recipients get it in the mailbox for junk (RFC 6154 §2)."""


def deliver(
    tx: Transaction, delivery: Delivery, targets: Iterable[AccountTarget], sheet: Sheet
) -> list[Note]:
    """File the message for every target, on a sheet that is to be written; give the notes for its trail.

    Raises:
        OverQuota: one of the accounts filled up after RCPT; nothing of the message is kept.
    """
    notes = []
    for target in targets:
        filed, mailbox = _deliver_one(tx, delivery, target, sheet)
        facts: dict[str, Fact] = {
            "account": str(target.address),
            "recipient": str(target.delivered_to),
            "mailbox": mailbox,
            "uid": filed.uid,
        }
        notes.append(Note("filed", facts))
    return notes


def _deliver_one(
    tx: Transaction, delivery: Delivery, target: AccountTarget, sheet: Sheet
) -> tuple[Filed, str]:
    """File the message for one account; give the mailbox's name too."""
    prefix = delivery_fields(delivery.sender, target.delivered_to) + delivery.received
    assert isinstance(delivery.parcel, Prepared)
    letters = [Letter(delivery.blob, delivery.parcel, prefix)]
    if target.delivered_to.domain not in delivery.junk:
        return enter(tx, target.account_id, _INBOX, letters, sheet)[0], _INBOX
    mailbox_id, name = _junk(tx, target.account_id)
    return enter(tx, target.account_id, mailbox_id, letters, sheet)[0], name


def _junk(tx: Transaction, account_id: int) -> tuple[int, str]:
    """The mailbox that is for junk; one whose owner has none gets it."""
    row = tx.row("SELECT id, name FROM mailbox WHERE account_id = ? AND special_use = ?", account_id, _JUNK)
    if row is not None:
        return row[0], row[1]
    found = by_name(tx, account_id, "Junk") or create(tx, account_id, "Junk", _JUNK)
    return found.id, found.name
