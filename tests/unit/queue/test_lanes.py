"""What goes first: lanes of the queue (RFC 6710 §5.1)."""

from functools import partial

import pytest

from postroad.config.settings import Queue
from postroad.db.transaction import Reader, Transaction
from postroad.queue.lanes import destinations_due, next_due
from tests.unit.queue.conftest import Desk
from tests.unit.queue.queued import put
from tests.unit.queue.test_spool import addresses, finish, take

ONE = Queue(per_destination=1)


def _put(address: str, priority: int, tx: Transaction) -> None:
    put(tx, address, priority=priority)


def in_order(desk: Desk) -> list[str]:
    """Who is served, one after the other."""
    served = []
    while work := take(desk, settings=ONE, room=1):
        served += addresses(work)[0]
        finish(desk, work[0])
    return served


@pytest.mark.parametrize("same_domain", [True, False])
def test_higher_ones_go_first_and_within_a_lane_the_longest_due(desk: Desk, same_domain: bool) -> None:
    asked = [(0, "a"), (-4, "b"), (4, "c"), (9, "d"), (-9, "e"), (0, "f"), (4, "g")]
    for priority, name in asked:
        domain = "x.test" if same_domain else f"{name}.test"
        desk.do(partial(_put, f"{name}@{domain}", priority))
        desk.now += 1
    assert [address[0] for address in in_order(desk)] == ["d", "c", "g", "a", "f", "b", "e"]


def test_what_is_urgent_and_not_due_keeps_nobody_waiting(desk: Desk) -> None:
    desk.do(lambda tx: put(tx, "urgent@x.test", priority=9))
    desk.do(lambda tx: tx.run("UPDATE queue_recipient SET due = ?", desk.now + 600))
    desk.do(lambda tx: put(tx, "calm@x.test"))
    assert desk.do(lambda tx: next_due(tx, "x.test")) == (desk.now, 0)
    assert in_order(desk) == ["calm@x.test"]
    assert desk.do(lambda tx: next_due(tx, "x.test")) == (desk.now + 600, 9)


def test_where_nothing_waits_nothing_is_due(desk: Desk) -> None:
    assert desk.do(lambda tx: next_due(tx, "x.test")) is None
    assert desk.ask(lambda r: destinations_due(r, desk.now, 10)) == []


def test_every_lane_is_found_by_an_index(desk: Desk) -> None:
    def plan(reader: Reader, condition: str) -> str:
        rows = reader.rows(
            "EXPLAIN QUERY PLAN SELECT min(due) FROM queue_recipient WHERE destination = 'x.test'"
            f" AND lease_id IS NULL AND held = 0 AND {condition}"
        )
        return " ".join(str(row[-1]) for row in rows)

    assert "INDEX queue_waiting (destination=?)" in desk.ask(lambda r: plan(r, "priority = 0"))
    other = desk.ask(lambda r: plan(r, "priority != 0 AND priority = 4"))
    assert "INDEX queue_waiting_priority (destination=? AND priority=?)" in other
