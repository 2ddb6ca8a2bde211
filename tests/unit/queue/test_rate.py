"""At most so many messages within a minute, where an operator says so."""

from functools import partial

import pytest

from postroad.config.settings import Queue
from postroad.db.transaction import Transaction
from postroad.directory.routes import add_route
from postroad.queue.item import Work
from postroad.queue.leases import end_lease, lease, next_for, touch
from postroad.queue.rate import forget_old
from postroad.queue.spool import next_due, remove_recipients
from tests.unit.queue.conftest import Desk
from tests.unit.queue.queued import put

SETTINGS = Queue(per_minute=30)


def take(desk: Desk, settings: Queue = SETTINGS) -> list[Work]:
    """What a worker gets."""
    return desk.do(lambda tx: lease(tx, "w", settings=settings, room=100, working=()))


def finish(desk: Desk, work: Work, settings: Queue = SETTINGS) -> None:
    """It was delivered."""

    def done(tx: Transaction) -> None:
        remove_recipients(tx, work.item, [r.n for r in work.recipients])
        end_lease(tx, work.lease_id)
        touch(tx, work.destination, settings)

    desk.do(done)


def begun_within(desk: Desk, seconds: float, settings: Queue = SETTINGS) -> list[float]:
    """When messages were begun by a worker that looks when something is due, and delivers at once."""
    start = desk.now
    times: list[float] = []
    while True:
        for work in take(desk, settings):
            times.append(desk.now - start)
            finish(desk, work, settings)
        due = desk.ask(next_due)
        if due is None or due > start + seconds:
            return times
        desk.now = max(due, desk.now)


def put_for(address: str, tx: Transaction) -> int:
    """A message that waits."""
    return put(tx, address)


def fill(desk: Desk, *addresses: str, times: int) -> None:
    """Messages that wait."""
    for address in addresses * times:
        desk.do(partial(put_for, address))


def test_they_are_spread_over_the_minute(desk: Desk) -> None:
    fill(desk, "x@far.test", times=40)
    assert begun_within(desk, 60) == pytest.approx([2.0 * n for n in range(31)])


def test_each_destination_has_its_own(desk: Desk) -> None:
    fill(desk, "x@far.test", "x@near.test", times=3)
    assert begun_within(desk, 1) == [0.0, 0.0]


def test_who_goes_on_with_the_next_message_has_to_wait_too(desk: Desk) -> None:
    fill(desk, "x@far.test", times=3)
    (work,) = take(desk)

    def following() -> list[Work]:
        return desk.do(lambda tx: next_for(tx, "w", work.destination, [0], SETTINGS, ailing=False))

    assert not following()
    desk.now += 2
    assert following()
    assert not following()


def test_without_a_limit_nothing_is_kept_back(desk: Desk) -> None:
    fill(desk, "x@far.test", times=5)
    assert begun_within(desk, 0, Queue()) == [0.0] * 5


def test_what_goes_by_one_route_shares_its_limit(desk: Desk) -> None:
    desk.do(lambda tx: add_route(tx, "*", "smtp://relay.test", who="test", per_minute=60))
    desk.do(lambda tx: add_route(tx, "near.test", "mx", who="test", per_minute=6))
    fill(desk, "x@far.test", "x@farther.test", "x@near.test", times=10)
    # In less than ten seconds ten by the smarthost, and one there on its own way.
    assert len(begun_within(desk, 9.5, Queue(per_minute=1))) == 11


def test_a_limit_that_is_changed_holds_at_once(desk: Desk) -> None:
    fill(desk, "x@far.test", times=4)
    assert len(begun_within(desk, 0, Queue(per_minute=1))) == 1
    desk.now += 1
    faster = Queue(per_minute=120)
    desk.do(lambda tx: touch(tx, "far.test", faster))
    assert len(take(desk, faster)) == 1


def test_a_clock_that_ran_ahead_keeps_nobody_waiting(desk: Desk) -> None:
    fill(desk, "x@far.test", times=2)
    desk.now += 86400 * 365
    assert len(begun_within(desk, 0)) == 1
    desk.now -= 86400 * 365
    desk.do(lambda tx: touch(tx, "far.test", SETTINGS))
    due = desk.ask(next_due)
    assert due is not None
    assert due <= desk.now + 2


def test_what_is_over_is_forgotten(desk: Desk) -> None:
    fill(desk, "x@far.test", times=1)
    begun_within(desk, 0)
    desk.now += 7200
    desk.do(forget_old)
    assert desk.ask(lambda reader: reader.value("SELECT count(*) FROM queue_rate")) == 0
