"""The queue in the database: putting messages in, letting go of them, and when there is something to do.

Plain functions over a transaction. `queue_destination.due` says where the
next work is, so a destination with a hundred thousand messages behind it
costs the others nothing. Who works on what is in `queue.leases`.
"""

from collections.abc import Container, Iterable, Sequence
from typing import Final, Protocol

from postroad.config.settings import Queue
from postroad.db.transaction import Asked, Reader, Transaction
from postroad.model.address import Address
from postroad.model.envelope import DeliverBy, Recipient, Release, Wish
from postroad.queue import deadline, journal
from postroad.queue.deadline import OVERDUE
from postroad.queue.item import Item, QueuedRecipient, Work
from postroad.store.filing import Blob, release_blob

TOPIC: Final = "queue"
"""The hint on the bus: there may be something to do."""
LEASE_SECONDS: Final = 120.0
"""How long the work of a worker that died is left alone."""
_SLACK: Final = 1.5
"""Above the longest wait with its jitter; clocks are put right by seconds, not by hours."""

_NEXT_DUE: Final = (
    "SELECT (SELECT min(due) FROM queue_destination WHERE due IS NOT NULL),"  # noqa: S608 - constants
    f" (SELECT min(expires) FROM queue_lease), (SELECT min(i.deliver_by) {OVERDUE})"
)
_WAITS: Final = (
    "SELECT 1 FROM queue_destination WHERE destination = ?1 AND due IS NULL"
    " AND EXISTS (SELECT 1 FROM queue_lease WHERE destination = ?1)"
)
_LET_GO: Final = "DELETE FROM queue_recipient WHERE item_id = ? AND n = ? AND lease_id = ?"
# ?1 is the latest time for which a retry can be planned, ?2 is now; a message that is held has its own now.
_TOO_LATE: Final = "due > ?1 AND due > (SELECT release_at FROM queue_item WHERE id = item_id) + (?1 - ?2)"


class Taker(Protocol):
    """Who may go on at once with a message that is being queued (`queue.claims`)."""

    def lease(self, tx: Transaction, destination: str, recipients: int) -> int | None:
        """Lease so many recipients that are about to be written; None: they wait their turn."""
        ...

    def take(self, tx: Transaction, work: Work) -> None:
        """Go on with what was leased, once it is committed."""
        ...


def enqueue(
    tx: Transaction,
    *,
    sender: Address | None,
    recipients: Sequence[Recipient],
    blob: Blob,
    prefix: bytes,
    size: int,
    account_id: int | None,
    trail_id: int,
    ret: str,
    envid: str,
    body: str,
    smtputf8: bool,
    tls: Wish = Wish.NONE,
    reverse_path: Address | None = None,
    release: Release | None = None,
    priority: int = 0,
    deliver_by: DeliverBy | None = None,
    taker: Taker | None = None,
) -> int:
    """Queue a message that is in a pack already; give the number of the item.

    `reverse_path` is said in MAIL FROM in place of the sender, who is told what becomes of it;
    with `release` nothing is tried before its time.
    A `taker` may lease all of it, or some destinations, and go on with that at once.
    The item owns one reference of the blob and releases it when it is done.
    """
    tx.run(
        "INSERT INTO queue_item (created, sender, account_id, blob_id, prefix, size, trail_id, ret, envid,"
        " body, smtputf8, tls, reverse_path, release_at, release_asked, priority, deliver_by,"
        " deliver_mode) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(tx.now, None if sender is None else str(sender), account_id, blob.id, prefix, size, trail_id),
        *(ret, envid, body, smtputf8, tls.value, "" if reverse_path is None else str(reverse_path)),
        *((0.0, "") if release is None else (release.at, release.asked)),
        priority,
        *((0.0, "") if deliver_by is None else (deliver_by.at, deadline.mode(deliver_by))),
    )
    item_id = tx.inserted()
    due = tx.now if release is None else max(tx.now, release.at)
    numbers: dict[str, list[int]] = {}
    for n, recipient in enumerate(recipients):
        numbers.setdefault(recipient.address.domain, []).append(n)
    leases: dict[str, int] = {}
    if taker is not None and release is None:
        for destination, some in numbers.items():
            if (lease_id := taker.lease(tx, destination, len(some))) is not None:
                leases[destination] = lease_id
    tx.run_many(
        "INSERT INTO queue_recipient"
        " (item_id, n, address, destination, notify, original, due, priority, lease_id)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                item_id,
                n,
                str(r.address),
                r.address.domain,
                " ".join(sorted(r.notify)),
                r.original,
                due,
                priority,
                leases.get(r.address.domain),
            )
            for n, r in enumerate(recipients)
        ],
    )
    journal.queued(
        *(tx, item_id),
        blob=blob,
        sender=sender,
        account_id=account_id,
        prefix=prefix,
        ret=ret,
        envid=envid,
        body=body,
        smtputf8=smtputf8,
        tls=tls,
        reverse_path=reverse_path,
        release=release,
        priority=priority,
        deliver_by=deliver_by,
        recipients=recipients,
    )
    for destination in numbers.keys() - leases.keys():
        # Where all leases are out, whoever ends one looks for what comes next; nobody else could begin it.
        if tx.row(_WAITS, destination) is None:
            announce(tx, destination, due, priority)
    if taker is not None and leases:
        item = Item(
            *(item_id, tx.now, sender, account_id, blob.id, prefix, size, trail_id, ret, envid, body),
            *(smtputf8, tls.value, reverse_path, release, priority, deliver_by),
        )
        for destination, lease_id in leases.items():
            leased = tuple(_leased(n, recipients[n], due) for n in numbers[destination])
            taker.take(tx, Work(lease_id, tx.now, destination, item, leased))
    return item_id


def _leased(n: int, recipient: Recipient, due: float) -> QueuedRecipient:
    """A recipient as it has just been written, with a lease."""
    address = recipient.address
    return QueuedRecipient(
        *(n, address, address.domain, recipient.notify, recipient.original, due), leased=True
    )


def announce(tx: Transaction, destination: str, due: float | None = None, priority: int = 0) -> None:
    """Say that something may be due for a destination, by default now."""
    # Most of the time something is due there already, and nothing has to be written.
    tx.run(
        "INSERT INTO queue_destination (destination, due, priority) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (destination) DO UPDATE"
        " SET due = min(coalesce(due, ?2), ?2), priority = max(priority, ?3)"
        " WHERE due IS NULL OR due > ?2 OR (priority < ?3 AND ?2 <= ?4)",
        *(destination, tx.now if due is None else due, priority, tx.now),
    )
    tx.wake(TOPIC)


def next_due(asked: Asked) -> float | None:
    """When there is something to do: work falls due, or a lease ends, as only one does that nobody renews."""
    moments = asked.row(_NEXT_DUE)
    assert moments is not None, "each may be NULL"
    return min((at for at in moments if at is not None), default=None)


def latest_due(now: float, settings: Queue) -> float:
    """No retry is put off further than this, and no lease is longer."""
    return now + max(settings.retry_max, settings.retry_first, LEASE_SECONDS) * _SLACK


def is_from_another_time(reader: Reader, now: float, latest: float) -> bool:
    """Whether something waits for a moment that only a clock which was wrong can have set.

    What its sender has put off is measured from the time until which it is held.
    """
    if reader.value("SELECT 1 FROM queue_lease WHERE expires > ? LIMIT 1", latest):
        return True
    # The many rows are looked at only where one of the few is suspicious.
    if not reader.value("SELECT 1 FROM queue_destination WHERE due > ? LIMIT 1", latest):
        return False
    late = f"SELECT 1 FROM queue_recipient WHERE {_TOO_LATE} LIMIT 1"  # noqa: S608 - a constant
    held = "SELECT 1 FROM queue_item WHERE release_at > 0 AND created > ? LIMIT 1"
    return bool(reader.value(late, latest, now) or reader.value(held, latest))


def come_back_to_now(tx: Transaction, latest: float) -> int:
    """Undo what a clock that ran years ahead has put off; give how many recipients that concerns.

    Leases are cut to their length, not ended: who holds one may be at work.
    """
    tx.run("UPDATE queue_lease SET expires = ? WHERE expires > ?", tx.now + LEASE_SECONDS, latest)
    # What was to be held for a week is held for a week from now on.
    tx.run(
        "UPDATE queue_recipient SET due = ?1 + due - i.created FROM queue_item i"
        " WHERE i.id = item_id AND i.created > ?2 AND i.release_at > 0 AND due >= i.release_at",
        *(tx.now, latest),
    )
    tx.run(
        "UPDATE queue_item SET deliver_by = ?1 + deliver_by - created WHERE created > ?2 AND deliver_by > 0",
        *(tx.now, latest),
    )
    tx.run(
        "UPDATE queue_item SET release_at = ?1 + release_at - created WHERE created > ?2 AND release_at > 0",
        *(tx.now, latest),
    )
    tx.run("UPDATE queue_item SET created = ? WHERE created > ?", tx.now, latest)
    destinations = tx.rows("SELECT DISTINCT destination FROM queue_recipient WHERE due > ?", latest)
    tx.run(f"UPDATE queue_recipient SET due = ?2 WHERE {_TOO_LATE}", latest, tx.now)  # noqa: S608 - a constant
    count = tx.changes()
    tx.run("UPDATE queue_destination SET due = ? WHERE due > ?", tx.now, latest)
    tx.run("DELETE FROM queue_pace WHERE rest_until > ?", latest)
    for (destination,) in destinations:
        announce(tx, destination)
    return count


def depth(reader: Reader) -> int:
    """How many recipients wait."""
    count: int = reader.value("SELECT count(*) FROM queue_recipient")
    return count


def let_go(tx: Transaction, work: Work, n: int) -> bool:
    """Take a recipient of a piece of work out of the queue (`remove_recipients` is to follow).

    False where it was not leased any more: what becomes of it is not for this worker to say.
    """
    tx.run(_LET_GO, work.item.id, n, work.lease_id)
    return bool(tx.changes())


def remove_recipients(
    tx: Transaction, item: Item, numbers: Iterable[int], *, gone: Container[int] = ()
) -> None:
    """Take recipients out of the queue, and the item with the last of them; some are `gone` already."""
    numbers = list(numbers)
    if not numbers:
        return
    journal.left(tx, item.id, numbers)
    if left := [(item.id, n) for n in numbers if n not in gone]:
        tx.run_many("DELETE FROM queue_recipient WHERE item_id = ? AND n = ?", left)
    tx.run(
        "DELETE FROM queue_item WHERE id = ?1"
        " AND NOT EXISTS (SELECT 1 FROM queue_recipient WHERE item_id = ?1)",
        item.id,
    )
    if tx.changes():
        release_blob(tx, item.blob_id)
