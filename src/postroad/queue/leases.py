"""Who works on what: leases, of which a destination has so many at most, one item each."""

from collections.abc import Iterable, Sequence
from typing import Final

from postroad.config.settings import Queue
from postroad.db.transaction import Reader, Row, Transaction
from postroad.queue import deadline, lanes
from postroad.queue.item import Item, Work, read_due, read_item_and_place
from postroad.queue.pace import Pace
from postroad.queue.spool import LEASE_SECONDS, announce
from postroad.queue.width import Width, width_of
from postroad.store.messages import Place

RENEWED_BELOW: Final = 0.75
"""Part of a lease that must be left, or else it is renewed."""
_AS_GOOD_AS_NEW: Final = 0.875
"""Part of a lease that must be left, or else it is renewed when it goes on with other work; what is
above `RENEWED_BELOW` is for the time until its worker hears of that.
"""
RECIPIENTS_AT_ONCE: Final = 100
"""Recipients of one transaction: every server takes as many (RFC 5321 §4.5.3.1.8)."""


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
    leases: Sequence[int],
    settings: Queue,
    *,
    ailing: bool,
    pace: Pace | None = None,
) -> list[Work]:
    """Take the next work for a destination that this worker has just been talking to.

    At most a piece for each of the `leases` that it had there, of which nothing is left: they go on
    with it, and the others end. `ailing` is what it has found there: while nothing answers, one
    attempt at a time is enough. `pace` is its pace, where that is known.
    """
    rows = tx.rows("SELECT id, recipients, expires FROM queue_lease WHERE destination = ?", destination)
    free = [row for row in rows if row[0] in leases]
    width = width_of(*(tx, destination, settings), ailing=ailing, pace=pace, under_way=len(rows) - len(free))
    taken: list[Work] = []
    while width.free > 0 and len(taken) < len(leases):
        work = _take(tx, worker, destination, width, free)
        if work is None:
            break
        taken.append(work)
    drop_leases(tx, [row[0] for row in free])
    _look_ahead(tx, destination, width, ailing=ailing)
    return taken


def renew(tx: Transaction, working: Iterable[int]) -> None:
    """Put off the end of leases, where it is near."""
    tx.run_many(
        "UPDATE queue_lease SET expires = ? WHERE id = ? AND expires < ?",
        [(tx.now + LEASE_SECONDS, lease_id, tx.now + LEASE_SECONDS * RENEWED_BELOW) for lease_id in working],
    )


def begin_lease(tx: Transaction, worker: str, destination: str, recipients: int) -> int:
    """Make a lease for so many recipients, who are for the caller to mark; give its number."""
    tx.run(
        "INSERT INTO queue_lease (worker, destination, recipients, expires) VALUES (?, ?, ?, ?)",
        *(worker, destination, recipients, tx.now + LEASE_SECONDS),
    )
    return tx.inserted()


def end_lease(tx: Transaction, lease_id: int) -> None:
    """Let go of what is left of a lease; those recipients wait again."""
    tx.run("UPDATE queue_recipient SET lease_id = NULL WHERE lease_id = ?", lease_id)
    drop_leases(tx, [lease_id])


def drop_leases(tx: Transaction, leases: Iterable[int]) -> None:
    """Let go of leases of which nothing is left."""
    tx.run_many("DELETE FROM queue_lease WHERE id = ?", [(lease_id,) for lease_id in leases])


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


def _take(
    tx: Transaction, worker: str, destination: str, width: Width, free: list[Row] | None = None
) -> Work | None:
    """Lease the item of a destination that goes first (`queue.lanes`), by a `free` lease if there is one."""
    first = lanes.first_due(tx, destination)
    found = None if first is None else read_item_and_place(tx, first[0])
    if first is None or found is None:
        return None
    width.take(tx)
    return _lease(tx, worker, destination, *found, cancelled=first[1], free=free)


def _take_overdue(tx: Transaction, worker: str, room: int) -> list[Work]:
    """Lease what has to come back because its time is over (RFC 2852)."""
    taken = []
    for item_id, destination in deadline.overdue(tx, room):
        tx.run(
            "UPDATE queue_recipient SET due = ? WHERE item_id = ? AND destination = ?"
            " AND lease_id IS NULL AND held = 0",
            *(tx.now, item_id, destination),
        )
        found = read_item_and_place(tx, item_id)
        assert found is not None, "its recipients wait"
        for cancelled in (False, True):
            work = _lease(tx, worker, destination, *found, cancelled=cancelled)
            if work.recipients:
                taken.append(work)
            else:
                end_lease(tx, work.lease_id)
    return taken


def _lease(
    tx: Transaction,
    worker: str,
    destination: str,
    item: Item,
    place: Place | None,
    *,
    cancelled: bool,
    free: list[Row] | None = None,
) -> Work:
    recipients = read_due(tx, item.id, destination, cancelled=cancelled, limit=RECIPIENTS_AT_ONCE)
    if free:
        lease_id, count, until = free.pop()
        if count != len(recipients) or until < tx.now + LEASE_SECONDS * _AS_GOOD_AS_NEW:
            tx.run(
                "UPDATE queue_lease SET recipients = ?, expires = ? WHERE id = ?",
                *(len(recipients), tx.now + LEASE_SECONDS, lease_id),
            )
    else:
        lease_id = begin_lease(tx, worker, destination, len(recipients))
    tx.run_many(
        "UPDATE queue_recipient SET lease_id = ? WHERE item_id = ? AND n = ?",
        [(lease_id, item.id, recipient.n) for recipient in recipients],
    )
    return Work(lease_id, tx.now, destination, item, recipients, place)


def _free(tx: Transaction, leases: list[Row]) -> None:
    for lease_id, destination in leases:
        end_lease(tx, lease_id)
        announce(tx, destination)
