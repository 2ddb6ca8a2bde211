"""Messages put straight into the queue of a world, and the notices that come of them."""

from collections.abc import Iterable

from postroad.db.transaction import Transaction
from postroad.model.address import parse_mailbox
from postroad.model.envelope import DeliverBy, Recipient, Release
from postroad.queue.claims import Claims
from postroad.queue.spool import enqueue
from postroad.store.filing import put_blob
from postroad.store.prepare import prepare_now
from postroad.testing import MailWorld
from postroad.trail import record

ADA = "ada@here.test"
MESSAGE = b"From: ada@here.test\r\nSubject: hello\r\nMessage-ID: <1@here.test>\r\n\r\nHello.\r\n"


def put(
    tx: Transaction,
    *recipients: str | Recipient,
    sender: str | None = ADA,
    body: bytes = MESSAGE,
    ret: str = "",
    envid: str = "",
    release: Release | None = None,
    priority: int = 0,
    deliver_by: DeliverBy | None = None,
    claims: Claims | None = None,
) -> int:
    """Queue a message; give its number. With `claims` it may go on at once."""
    prepared = prepare_now(body)
    everybody = [r if isinstance(r, Recipient) else recipient(r) for r in recipients]
    trail_id = record.begin(
        tx, kind="out", sender=sender or "", recipients=[str(r.address) for r in everybody]
    )
    blob = put_blob(tx, prepared, 1)
    return enqueue(
        tx,
        sender=None if sender is None else parse_mailbox(sender),
        recipients=everybody,
        blob=blob,
        prefix=b"",
        size=prepared.size,
        account_id=None,
        trail_id=trail_id,
        ret=ret,
        envid=envid,
        body="7BIT",
        smtputf8=False,
        release=release,
        priority=priority,
        deliver_by=deliver_by,
        taker=None if claims is None else claims.on(blob, prepared),
    )


def recipient(address: str, notify: Iterable[str] = (), original: str = "") -> Recipient:
    """A recipient with wishes."""
    return Recipient(parse_mailbox(address), frozenset(notify), original)


async def queue(
    world: MailWorld, *recipients: str | Recipient, sender: str | None = ADA, envid: str = ""
) -> int:
    """Queue a message and let the workers do what is due."""
    item_id = await world.change(lambda tx: put(tx, *recipients, sender=sender, envid=envid))
    await world.settle()
    return item_id


def waiting(world: MailWorld) -> list[str]:
    """Who waits in the queue."""
    return [str(r.address) for queued in world.queue() for r in queued.recipients]


def inbox(world: MailWorld) -> list[bytes]:
    """What the sender got, the oldest first."""
    return [message.octets for message in world.mailbox(ADA).messages()]
