"""What an operator does with the queue: look, retry, hold, release, reschedule, redirect, cancel.

Plain functions over a transaction, for the command line and later the API.
Each leaves a note in the trail of the message with who did it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from postroad.db.transaction import Reader, Transaction
from postroad.model.address import Address
from postroad.model.envelope import Recipient, Wish
from postroad.queue.item import Item, QueuedRecipient, read_item, read_items, read_recipients, text_id
from postroad.queue.pace import end_rest
from postroad.queue.spool import announce, enqueue, remove_recipients
from postroad.store.filing import Blob
from postroad.trail import record
from postroad.trail.note import Fact, Note

_RETRIED: Final = (
    "held = 0 AND NOT EXISTS (SELECT 1 FROM queue_item"
    " WHERE id = item_id AND release_at > ? AND release_at <= due)"
)
"""Those that neither an operator nor their sender has put off."""


class NoSuchItem(LookupError):
    """The queue does not hold that message (any more)."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A message in the queue and everybody who still waits for it."""

    item: Item
    recipients: tuple[QueuedRecipient, ...]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What came of a cancellation."""

    removed: tuple[str, ...]
    """Addresses that are out of the queue."""
    marked: tuple[str, ...]
    """Those that a worker will take out, with a bounce, or once the attempt under way has failed."""


def list_queue(reader: Reader, limit: int = 1000) -> list[Queued]:
    """The oldest messages."""
    return [Queued(item, read_recipients(reader, item.id)) for item in read_items(reader, limit)]


def show(reader: Reader, item_id: int) -> Queued:
    """One message.

    Raises:
        NoSuchItem: it has left the queue.
    """
    item = read_item(reader, item_id)
    if item is None:
        raise NoSuchItem(str(item_id))
    return Queued(item, read_recipients(reader, item_id))


def retry(
    tx: Transaction,
    item_id: int | None = None,
    *,
    destination: str | None = None,
    numbers: Collection[int] | None = None,
) -> int:
    """Have an attempt made now, whatever is known of the hosts; give how many recipients that concerns.

    For one message (or some of its recipients), for one destination, or for
    everything. Who is held stays held, also where the sender asked for it.

    Raises:
        NoSuchItem: the message has left the queue.
    """
    if item_id is not None:
        queued = show(tx, item_id)
        waiting = [r for r in _chosen(queued, numbers) if not _is_held(queued.item, r, tx.now)]
        tx.run_many(
            "UPDATE queue_recipient SET due = ?, urgent = 1 WHERE item_id = ? AND n = ?",
            [(tx.now, item_id, r.n) for r in waiting],
        )
        destinations, count = {r.destination for r in waiting}, len(waiting)
    else:
        where = _RETRIED if destination is None else f"{_RETRIED} AND destination = ?"
        params = () if destination is None else (destination,)
        rows = tx.rows(f"SELECT DISTINCT destination FROM queue_recipient WHERE {where}", tx.now, *params)  # noqa: S608 - constants
        destinations = {name for (name,) in rows}
        tx.run(f"UPDATE queue_recipient SET due = ?, urgent = 1 WHERE {where}", tx.now, tx.now, *params)  # noqa: S608 - constants
        count = tx.changes() if destinations else 0
    for name in destinations:
        end_rest(tx, name)
        announce(tx, name)
    return count


def hold(tx: Transaction, item_id: int, *, who: str, numbers: Collection[int] | None = None) -> int:
    """Keep a message in the queue, untried, until it is released; an attempt under way comes to its end.

    `numbers` are the recipients that are meant, by default all. Gives how many that concerns.

    Raises:
        NoSuchItem: the message has left the queue.
    """
    queued = show(tx, item_id)
    chosen = _chosen(queued, numbers)
    _mark(tx, "held = 1", item_id, chosen)
    if chosen:
        _note(tx, queued, "held", who, [r.address for r in chosen])
    return len(chosen)


def release(tx: Transaction, item_id: int, *, who: str, numbers: Collection[int] | None = None) -> int:
    """Let a message go that an operator or its sender has put off; it is tried at once.

    Raises:
        NoSuchItem: the message has left the queue.
    """
    queued = show(tx, item_id)
    held = [recipient for recipient in _chosen(queued, numbers) if _is_held(queued.item, recipient, tx.now)]
    _mark(tx, "held = 0, due = ?", item_id, held, tx.now)
    _announce(tx, held)
    if held:
        _note(tx, queued, "released", who, [r.address for r in held])
    return len(held)


def reschedule(
    tx: Transaction, item_id: int, *, at: float, who: str, numbers: Collection[int] | None = None
) -> int:
    """Plan the next attempt for another time; an attempt under way plans its own.

    Raises:
        NoSuchItem: the message has left the queue.
    """
    queued = show(tx, item_id)
    chosen = [recipient for recipient in _chosen(queued, numbers) if not recipient.leased]
    _mark(tx, "due = ?", item_id, chosen, at)
    _announce(tx, chosen)  # the next look finds the time
    if chosen:
        _note(tx, queued, "rescheduled", who, [r.address for r in chosen], at=at)
    return len(chosen)


def redirect(
    tx: Transaction, item_id: int, to: Address, *, who: str, numbers: Collection[int] | None = None
) -> int:
    """Send it to another address in place of those; who is being tried at this moment stays.

    The sender's wishes and the address that was written to go along (RFC 3461 §5.2.4).

    Raises:
        NoSuchItem: the message has left the queue.
    """
    queued = show(tx, item_id)
    item = queued.item
    chosen = [recipient for recipient in _chosen(queued, numbers) if not recipient.leased]
    if not chosen:
        return 0
    first = chosen[0]
    original = first.original or f"rfc822;{first.address}"
    row = tx.row("SELECT id, pack, offset FROM blob WHERE id = ?", item.blob_id)
    assert row is not None, "an item has its octets"
    tx.run("UPDATE blob SET refs = refs + 1 WHERE id = ?", item.blob_id)
    number = enqueue(
        tx,
        sender=item.sender,
        recipients=[Recipient(to, first.notify, original)],
        blob=Blob(*row),
        prefix=item.prefix,
        size=item.size,
        account_id=item.account_id,
        trail_id=item.trail_id,
        ret=item.ret,
        envid=item.envid,
        body=item.body,
        smtputf8=item.smtputf8 or to.utf8,
        tls=Wish(item.tls),
        reverse_path=item.reverse_path,
        release=item.release,
        priority=item.priority,
        deliver_by=item.deliver_by,
    )
    _note(tx, queued, "redirected", who, [r.address for r in chosen], to=str(to))
    again = Note("queued", {"queue": text_id(number), "recipients": [str(to)]})
    record.add(tx, item.trail_id, [again])
    remove_recipients(tx, item, [r.n for r in chosen])
    _announce(tx, chosen)
    return len(chosen)


def cancel(
    tx: Transaction,
    item_id: int,
    *,
    who: str,
    bounce: bool = False,
    numbers: Collection[int] | None = None,
) -> Cancelled:
    """Take a message out of the queue; with `bounce` its sender is told that it was cancelled.

    Who is being tried at this moment may still get it; if not, that was the
    last attempt.

    Raises:
        NoSuchItem: the message has left the queue.
    """
    queued = show(tx, item_id)
    chosen = _chosen(queued, numbers)
    marked = [r for r in chosen if bounce or r.leased]
    removed = [r for r in chosen if r not in marked]
    notify = "" if bounce else ", notify = 'NEVER'"
    _mark(tx, f"cancelled = 1, held = 0, due = ?{notify}", item_id, marked, tx.now)
    if chosen:
        _note(tx, queued, "cancelled", who, [r.address for r in chosen])
    remove_recipients(tx, queued.item, [r.n for r in removed])
    _announce(tx, chosen)
    return Cancelled(tuple(str(r.address) for r in removed), tuple(str(r.address) for r in marked))


def _is_held(item: Item, recipient: QueuedRecipient, now: float) -> bool:
    """Whether it waits to be released, by an operator or by the time that its sender has named."""
    return recipient.held or (item.release is not None and now < item.release.at <= recipient.due)


def _chosen(queued: Queued, numbers: Collection[int] | None) -> list[QueuedRecipient]:
    return [r for r in queued.recipients if numbers is None or r.n in numbers]


def _mark(
    tx: Transaction, what: str, item_id: int, chosen: Sequence[QueuedRecipient], *values: float
) -> None:
    tx.run_many(
        f"UPDATE queue_recipient SET {what} WHERE item_id = ? AND n = ?",  # noqa: S608 - constants
        [(*values, item_id, recipient.n) for recipient in chosen],
    )


def _announce(tx: Transaction, chosen: Sequence[QueuedRecipient]) -> None:
    for destination in {recipient.destination for recipient in chosen}:
        announce(tx, destination)


def _note(
    tx: Transaction, queued: Queued, kind: str, who: str, addresses: Sequence[object], **more: Fact
) -> None:
    facts: dict[str, Fact] = {
        "queue": queued.item.text_id,
        "recipients": [str(address) for address in addresses],
        "who": who,
        **more,
    }
    record.add(tx, queued.item.trail_id, [Note(kind, facts)])
