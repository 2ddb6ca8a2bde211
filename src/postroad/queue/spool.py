"""The queue in the database: putting messages in, leasing them, letting go of them.

Plain functions over a transaction. A destination has at most so many leases,
one item each; `queue_destination.due` says where the next work is, so a
destination with a hundred thousand messages behind it costs the others
nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from postroad.config.settings import Queue
from postroad.db.transaction import Reader, Row, Transaction
from postroad.model.address import Address
from postroad.model.envelope import DeliverBy, Recipient, Release, Wish
from postroad.queue import deadline, journal, lanes
from postroad.queue.item import Item, Work, read_due, read_item
from postroad.queue.pace import Pace
from postroad.queue.width import Width, width_of
from postroad.store.filing import Blob, release_blob

TOPIC: Final = "queue"
"""The hint on the bus: there may be something to do."""
LEASE_SECONDS: Final = 120.0
"""How long the work of a worker that died is left alone."""
RENEWED_BELOW: Final = 0.75
"""Part of a lease that must be left, or else it is renewed."""
_SLACK: Final = 1.5
"""Above the longest wait with its jitter; clocks are put right by seconds, not by hours."""
RECIPIENTS_AT_ONCE: Final = 100
"""Recipients of one transaction: every server takes as many (RFC 5321 §4.5.3.1.8)."""

# ?1 is the latest time for which a retry can be planned, ?2 is now; a message that is held has its own now.
_TOO_LATE: Final = "due > ?1 AND due > (SELECT release_at FROM queue_item WHERE id = item_id) + (?1 - ?2)"


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
) -> int:
    """Queue a message that is in a pack already; give the number of the item.

    `reverse_path` is said in MAIL FROM in place of the sender, who is told what becomes of it;
    with `release` nothing is tried before its time.
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
    tx.run_many(
        "INSERT INTO queue_recipient (item_id, n, address, destination, notify, original, due, priority)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
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
    for destination in {recipient.address.domain for recipient in recipients}:
        announce(tx, destination, due, priority)
    return item_id


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


def lease(tx: Transaction, worker: str, *, settings: Queue, room: int, working: Iterable[int]) -> list[Work]:
    """Take up to `room` pieces of work that are due, at most so many for each destination.

    Also renews what this worker is `working` on, and frees what a dead worker
    had: in one transaction, so that a clock that leaps cannot part the two.
    """
    renew(tx, working)
    _free(tx, tx.rows("SELECT id, destination FROM queue_lease WHERE expires <= ?", tx.now))
    leased = tx.value("SELECT coalesce(sum(recipients), 0) FROM queue_lease")
    taken = _take_overdue(tx, worker, room)
    for destination in lanes.destinations_due(tx, tx.now, max(room, 1)):
        width = width_of(tx, destination, settings)
        while width.free > 0 and len(taken) < room and leased < settings.active:
            work = _take(tx, worker, destination, width)
            if work is None:
                break
            taken.append(work)
            leased += len(work.recipients)
        _look_ahead(tx, destination, width)
    return taken


def next_for(
    tx: Transaction,
    worker: str,
    destination: str,
    settings: Queue,
    *,
    ailing: bool,
    pace: Pace | None = None,
) -> Work | None:
    """Take the next piece of work for a destination that this worker has just been talking to.

    `ailing` is what it has found there: while nothing answers, one attempt at a time is enough.
    `pace` is its pace, where that is known.
    """
    width = width_of(tx, destination, settings, ailing=ailing, pace=pace)
    work = _take(tx, worker, destination, width) if width.free > 0 else None
    _look_ahead(tx, destination, width, ailing=ailing)
    return work


def renew(tx: Transaction, working: Iterable[int]) -> None:
    """Put off the end of leases, where it is near."""
    tx.run_many(
        "UPDATE queue_lease SET expires = ? WHERE id = ? AND expires < ?",
        [(tx.now + LEASE_SECONDS, lease_id, tx.now + LEASE_SECONDS * RENEWED_BELOW) for lease_id in working],
    )


def end_lease(tx: Transaction, lease_id: int) -> None:
    """Let go of what is left of a lease; those recipients wait again."""
    tx.run("UPDATE queue_recipient SET lease_id = NULL WHERE lease_id = ?", lease_id)
    drop_lease(tx, lease_id)


def drop_lease(tx: Transaction, lease_id: int) -> None:
    """Let go of a lease of which nothing is left."""
    tx.run("DELETE FROM queue_lease WHERE id = ?", lease_id)


def release_worker(tx: Transaction, worker: str) -> None:
    """Let go of everything that a worker has leased; it is leaving."""
    _free(tx, tx.rows("SELECT id, destination FROM queue_lease WHERE worker = ?", worker))


def release_predecessors(tx: Transaction, name: str, worker: str) -> None:
    """Let go of what workers of that name (`name-…`) had leased before `worker`.

    A name is that of one process at a time, so they are dead.
    """
    before = "SELECT id, destination FROM queue_lease WHERE worker != ? AND substr(worker, 1, ?) = ?"
    _free(tx, tx.rows(before, worker, len(name) + 1, f"{name}-"))


def leases_of(reader: Reader, worker: str) -> set[int]:
    """The leases that a worker still has."""
    return {number for (number,) in reader.rows("SELECT id FROM queue_lease WHERE worker = ?", worker)}


def next_due(reader: Reader) -> float | None:
    """When there is something to do: work falls due, or a lease ends, as only one does that nobody renews."""
    due = reader.value("SELECT min(due) FROM queue_destination WHERE due IS NOT NULL")
    expires = reader.value("SELECT min(expires) FROM queue_lease")
    overdue = deadline.next_overdue(reader)
    return min((at for at in (due, expires, overdue) if at is not None), default=None)


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


def remove_recipients(tx: Transaction, item: Item, numbers: Iterable[int]) -> None:
    """Take recipients out of the queue, and the item with the last of them."""
    numbers = list(numbers)
    if numbers:
        journal.left(tx, item.id, numbers)
    tx.run_many("DELETE FROM queue_recipient WHERE item_id = ? AND n = ?", [(item.id, n) for n in numbers])
    tx.run(
        "DELETE FROM queue_item WHERE id = ?1"
        " AND NOT EXISTS (SELECT 1 FROM queue_recipient WHERE item_id = ?1)",
        item.id,
    )
    if tx.changes():
        release_blob(tx, item.blob_id)


def touch(tx: Transaction, destination: str, settings: Queue, *, ailing: bool | None = None) -> None:
    """Bring the row of a destination up to date after a change there."""
    _look_ahead(tx, destination, width_of(tx, destination, settings, ailing=ailing), ailing=ailing)


def _look_ahead(tx: Transaction, destination: str, width: Width, *, ailing: bool | None = None) -> None:
    """Note when there is something to do for a destination that has so much room.

    And, where that is known, whether it ails.
    """
    ahead = lanes.next_due(tx, destination)
    if ahead is None:
        tx.run("DELETE FROM queue_destination WHERE destination = ?", destination)
        return
    due, priority = ahead
    waits_for_a_lease = width.free <= 0 and width.begins <= tx.now
    if width.free <= 0:
        due = max(due, width.begins)
    tx.run(
        "INSERT INTO queue_destination (destination, due, ailing, priority)"
        " VALUES (?1, ?2, coalesce(?3, 0), ?4)"
        " ON CONFLICT (destination) DO UPDATE SET due = ?2, ailing = coalesce(?3, ailing), priority = ?4"
        " WHERE due IS NOT ?2 OR ailing IS NOT coalesce(?3, ailing) OR priority != ?4",
        *(destination, None if waits_for_a_lease else due, ailing, priority),
    )


def _take(tx: Transaction, worker: str, destination: str, width: Width) -> Work | None:
    """Lease the item of a destination that goes first (`queue.lanes`)."""
    first = lanes.first_due(tx, destination)
    item = None if first is None else read_item(tx, first[0])
    if first is None or item is None:
        return None
    width.take(tx)
    return _lease(tx, worker, destination, item, cancelled=first[1])


def _take_overdue(tx: Transaction, worker: str, room: int) -> list[Work]:
    """Lease what has to come back because its time is over (RFC 2852)."""
    taken = []
    for item_id, destination in deadline.overdue(tx, room):
        tx.run(
            "UPDATE queue_recipient SET due = ? WHERE item_id = ? AND destination = ?"
            " AND lease_id IS NULL AND held = 0",
            *(tx.now, item_id, destination),
        )
        item = read_item(tx, item_id)
        assert item is not None, "its recipients wait"
        for cancelled in (False, True):
            work = _lease(tx, worker, destination, item, cancelled=cancelled)
            if work.recipients:
                taken.append(work)
            else:
                end_lease(tx, work.lease_id)
    return taken


def _lease(tx: Transaction, worker: str, destination: str, item: Item, *, cancelled: bool) -> Work:
    recipients = read_due(tx, item.id, destination, cancelled=cancelled, limit=RECIPIENTS_AT_ONCE)
    tx.run(
        "INSERT INTO queue_lease (worker, destination, recipients, expires) VALUES (?, ?, ?, ?)",
        *(worker, destination, len(recipients), tx.now + LEASE_SECONDS),
    )
    lease_id = tx.inserted()
    tx.run_many(
        "UPDATE queue_recipient SET lease_id = ? WHERE item_id = ? AND n = ?",
        [(lease_id, item.id, recipient.n) for recipient in recipients],
    )
    return Work(lease_id, destination, item, recipients)


def _free(tx: Transaction, leases: list[Row]) -> None:
    for lease_id, destination in leases:
        end_lease(tx, lease_id)
        announce(tx, destination)
