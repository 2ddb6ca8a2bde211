"""What an operator does with the queue: look, retry, hold, release, cancel.

Plain functions over a transaction, for the command line and later the API.
Each leaves a note in the trail of the message with who did it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from postroad.db.transaction import Reader, Transaction
from postroad.queue.item import Item, QueuedRecipient, read_item, read_items, read_recipients
from postroad.queue.pace import end_rest
from postroad.queue.spool import announce, remove_recipients
from postroad.trail import record
from postroad.trail.note import Fact, Note


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


def retry(tx: Transaction, item_id: int | None = None, *, destination: str | None = None) -> int:
    """Have an attempt made now, whatever is known of the hosts; give how many recipients that concerns.

    For one message, for one destination, or for everything. Who is held stays held.

    Raises:
        NoSuchItem: the message has left the queue.
    """
    if item_id is not None:
        show(tx, item_id)
    where, params = "held = 0", list[int | str]()
    if item_id is not None:
        where += " AND item_id = ?"
        params.append(item_id)
    if destination is not None:
        where += " AND destination = ?"
        params.append(destination)
    destinations = tx.rows(f"SELECT DISTINCT destination FROM queue_recipient WHERE {where}", *params)  # noqa: S608 - constants
    tx.run(f"UPDATE queue_recipient SET due = ?, urgent = 1 WHERE {where}", tx.now, *params)  # noqa: S608 - constants
    count = tx.changes() if destinations else 0
    for (name,) in destinations:
        end_rest(tx, name)
        announce(tx, name)
    return count


def hold(tx: Transaction, item_id: int, *, who: str) -> int:
    """Keep a message in the queue, untried, until it is released; an attempt under way comes to its end.

    Gives how many recipients that concerns.

    Raises:
        NoSuchItem: the message has left the queue.
    """
    queued = show(tx, item_id)
    tx.run("UPDATE queue_recipient SET held = 1 WHERE item_id = ?", item_id)
    _note(tx, queued, "held", who, [r.address for r in queued.recipients])
    return len(queued.recipients)


def release(tx: Transaction, item_id: int, *, who: str) -> int:
    """Let a held message go; it is tried at once.

    Raises:
        NoSuchItem: the message has left the queue.
    """
    queued = show(tx, item_id)
    held = [recipient for recipient in queued.recipients if recipient.held]
    tx.run("UPDATE queue_recipient SET held = 0, due = ? WHERE item_id = ? AND held = 1", tx.now, item_id)
    for destination in {recipient.destination for recipient in held}:
        announce(tx, destination)
    if held:
        _note(tx, queued, "released", who, [r.address for r in held])
    return len(held)


def cancel(tx: Transaction, item_id: int, *, who: str, bounce: bool = False) -> Cancelled:
    """Take a message out of the queue; with `bounce` its sender is told that it was cancelled.

    Who is being tried at this moment may still get it; if not, that was the
    last attempt.

    Raises:
        NoSuchItem: the message has left the queue.
    """
    queued = show(tx, item_id)
    marked = [r for r in queued.recipients if bounce or r.leased]
    removed = [r for r in queued.recipients if r not in marked]
    notify = "" if bounce else ", notify = 'NEVER'"
    tx.run_many(
        f"UPDATE queue_recipient SET cancelled = 1, held = 0, due = ?{notify} WHERE item_id = ? AND n = ?",  # noqa: S608 - constants
        [(tx.now, item_id, r.n) for r in marked],
    )
    _note(tx, queued, "cancelled", who, [r.address for r in queued.recipients])
    remove_recipients(tx, queued.item, [r.n for r in removed])
    for destination in {recipient.destination for recipient in queued.recipients}:
        announce(tx, destination)
    return Cancelled(tuple(str(r.address) for r in removed), tuple(str(r.address) for r in marked))


def _note(tx: Transaction, queued: Queued, kind: str, who: str, addresses: Sequence[object]) -> None:
    facts: dict[str, Fact] = {
        "queue": queued.item.text_id,
        "recipients": [str(address) for address in addresses],
        "who": who,
    }
    record.add(tx, queued.item.trail_id, [Note(kind, facts)])
