"""Mail that this server writes itself: notices and reports, to somebody here or elsewhere."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from postroad.db.transaction import Transaction
from postroad.delivery.local import Delivery, deliver
from postroad.directory.resolve import AccountTarget, Local, NotOurs, resolve
from postroad.message.compose import Person, address_field, date_field, field, message_id_field, text_field
from postroad.model.address import Address
from postroad.model.envelope import Recipient, Wish
from postroad.queue.item import text_id as queue_text_id
from postroad.queue.spool import enqueue
from postroad.store.filing import Sheet, put_blob
from postroad.store.prepare import Prepared
from postroad.trail import record
from postroad.trail.note import Fact, Note

Sign: TypeAlias = Callable[[bytes], bytes]
"""Puts the signatures of the server's domain on top of a message (see `delivery.signing`)."""


def unsigned(message: bytes) -> bytes:
    """A message as it is."""
    return message


def own_header(
    to: Address, subject: str, *, host: str, token: str, now: datetime, fields: Iterable[bytes] = ()
) -> bytes:
    """The header of mail that nobody has written, but for its content; `fields` are its own."""
    return b"".join(
        (
            date_field(now),
            address_field("From", [Person(f"postmaster@{host}", "Mail Delivery")]),
            address_field("To", [Person(str(to))]),
            text_field("Subject", subject),
            message_id_field(token, host),
            *fields,
            field("Auto-Submitted", "auto-generated"),  # RFC 3834 §5
            field("MIME-Version", "1.0"),
        )
    )


class OwnMail(Struct, frozen=True):
    """A message that is ready to be sent."""

    sender: Address | None
    """None is the null reverse-path: nobody is told what becomes of it."""
    to: Address
    prepared: Prepared
    body: str
    """7BIT or 8BITMIME."""
    tls: Wish = Wish.NONE
    priority: int = 0


def post_own(tx: Transaction, mail: OwnMail) -> int | None:
    """Send it on its way: into the INBOX of who is here, into the queue for others; give its trail.

    None: the address is one of ours that leads nowhere.

    Raises:
        OverQuota: the mailbox is full.
    """
    found = resolve(tx, mail.to)
    accounts: list[AccountTarget] = []
    elsewhere: list[Address] = []
    if isinstance(found, NotOurs):
        elsewhere = [mail.to]
    elif isinstance(found, Local):
        accounts = [target for target in found.targets if isinstance(target, AccountTarget)]
        elsewhere = [target.address for target in found.targets if not isinstance(target, AccountTarget)]
    if not accounts and not elsewhere:
        return None
    summary = mail.prepared.summary
    blob = put_blob(tx, mail.prepared, len(accounts) + bool(elsewhere))
    trail_id = record.begin(
        tx,
        kind="out" if elsewhere else "local",
        sender="" if mail.sender is None else str(mail.sender),
        recipients=[str(mail.to)],
        message_id=summary.message_id,
        subject=summary.subject,
    )
    sheet = Sheet()
    notes = deliver(tx, Delivery(mail.sender, blob, mail.prepared), accounts, sheet)
    sheet.write(tx)
    if elsewhere:
        queue_id = enqueue(
            tx,
            sender=mail.sender,
            recipients=[Recipient(address) for address in elsewhere],
            blob=blob,
            prefix=b"",
            size=mail.prepared.size,
            account_id=None,
            trail_id=trail_id,
            ret="",
            envid="",
            body=mail.body,
            smtputf8=any(address.utf8 for address in elsewhere),
            tls=mail.tls,
            priority=mail.priority,
        )
        facts: dict[str, Fact] = {
            "queue": queue_text_id(queue_id),
            "recipients": [str(address) for address in elsewhere],
        }
        notes.append(Note("queued", facts))
    record.add(tx, trail_id, notes)
    return trail_id
