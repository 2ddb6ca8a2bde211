"""Leases: who works on what, for how long, and how much at a time."""

from functools import partial

from postroad.config.settings import Queue
from postroad.db.transaction import Transaction
from postroad.model.envelope import Release
from postroad.queue.item import Work, from_text_id, read_recipients, text_id
from postroad.queue.leases import (
    RECIPIENTS_AT_ONCE,
    end_lease,
    lease,
    leases_of,
    next_for,
    release_predecessors,
    release_worker,
    renew,
    touch,
)
from postroad.queue.spool import (
    LEASE_SECONDS,
    come_back_to_now,
    depth,
    is_from_another_time,
    latest_due,
    let_go,
    next_due,
    remove_recipients,
)
from tests.unit.queue.conftest import Desk
from tests.unit.queue.queued import put

SETTINGS = Queue(per_destination=2)


def take(
    desk: Desk,
    worker: str = "w0",
    *,
    room: int = 100,
    settings: Queue = SETTINGS,
    working: tuple[int, ...] = (),
) -> list[Work]:
    """Lease what is due."""
    return desk.do(lambda tx: lease(tx, worker, settings=settings, room=room, working=working))


def addresses(work: list[Work]) -> list[list[str]]:
    """Whom pieces of work are for."""
    return [[str(recipient.address) for recipient in one.recipients] for one in work]


def put_for(address: str, tx: Transaction) -> int:
    """Queue a message for one recipient."""
    return put(tx, address)


def finish(desk: Desk, work: Work) -> None:
    """All recipients have got it."""

    def done(tx: Transaction) -> None:
        remove_recipients(tx, work.item, [recipient.n for recipient in work.recipients])
        end_lease(tx, work.lease_id)
        touch(tx, work.destination, SETTINGS)

    desk.do(done)


def test_a_message_is_cut_into_work_by_destination(desk: Desk) -> None:
    desk.do(lambda tx: put(tx, "a@x.test", "b@y.test", "c@x.test"))
    assert sorted(addresses(take(desk))) == [["a@x.test", "c@x.test"], ["b@y.test"]]
    assert take(desk, "w1") == []


def test_many_recipients_are_several_transactions(desk: Desk) -> None:
    desk.do(lambda tx: put(tx, *(f"r{n}@x.test" for n in range(RECIPIENTS_AT_ONCE + 5))))
    assert [len(work.recipients) for work in take(desk)] == [RECIPIENTS_AT_ONCE, 5]


def test_a_destination_has_its_limit_and_does_not_hide_the_next(desk: Desk) -> None:
    for _ in range(5):
        desk.do(lambda tx: put(tx, "a@busy.test"))
    desk.do(lambda tx: put(tx, "b@idle.test"))
    taken = take(desk)
    assert sorted(work.destination for work in taken) == ["busy.test", "busy.test", "idle.test"]
    assert desk.ask(next_due) == desk.now + LEASE_SECONDS, "what is full falls due when it is not"
    finish(desk, next(work for work in taken if work.destination == "busy.test"))
    assert desk.ask(next_due) == desk.now
    assert [work.destination for work in take(desk)] == ["busy.test"]


def test_a_destination_where_nobody_answers_gets_one_attempt_at_a_time(desk: Desk) -> None:
    for _ in range(3):
        desk.do(lambda tx: put(tx, "a@x.test"))
    desk.do(lambda tx: touch(tx, "x.test", SETTINGS, ailing=True))
    (work,) = take(desk)
    assert take(desk) == []
    desk.do(lambda tx: end_lease(tx, work.lease_id))
    desk.do(lambda tx: touch(tx, "x.test", SETTINGS, ailing=False))
    assert len(take(desk)) == 2


def test_there_is_a_limit_for_all(desk: Desk) -> None:
    for n in range(5):
        desk.do(partial(put_for, f"a@x{n}.test"))
    assert len(take(desk, room=3)) == 3
    assert len(take(desk, "w1", settings=Queue(active=4))) == 1


def follow(desk: Desk, *ended: Work) -> list[Work]:
    """All recipients of these have got it: what is taken next for their destination."""

    def go_on(tx: Transaction) -> list[Work]:
        for work in ended:
            numbers = [recipient.n for recipient in work.recipients]
            remove_recipients(tx, work.item, numbers, gone=[n for n in numbers if let_go(tx, work, n)])
        leases = [work.lease_id for work in ended]
        return next_for(tx, "w0", "x.test", leases, SETTINGS, ailing=False)

    return desk.do(go_on)


def test_the_next_for_the_same_destination(desk: Desk) -> None:
    desk.do(lambda tx: put(tx, "a@x.test"))
    desk.do(lambda tx: put(tx, "b@x.test"))
    (first, second) = take(desk)
    desk.do(lambda tx: put(tx, "c@x.test"))
    (following,) = follow(desk, first)
    assert addresses([following]) == [["c@x.test"]]
    assert following.lease_id == first.lease_id, "the lease goes on"
    assert desk.ask(lambda r: leases_of(r, "w0")) == {second.lease_id, following.lease_id}
    assert follow(desk, following, second) == []
    assert desk.ask(lambda r: leases_of(r, "w0")) == set()
    assert desk.ask(depth) == 0


def test_a_lease_goes_on_with_the_time_of_a_new_one(desk: Desk) -> None:
    desk.do(lambda tx: put(tx, "a@x.test"))
    (first,) = take(desk)
    desk.do(lambda tx: put(tx, "b@x.test", "c@x.test"))
    desk.now += LEASE_SECONDS / 2
    (following,) = follow(desk, first)
    assert desk.ask(lambda r: r.row("SELECT recipients, expires FROM queue_lease")) == (
        2,
        desk.now + LEASE_SECONDS,
    )
    assert follow(desk, following) == []


def test_who_has_lost_a_lease_takes_no_more_than_there_is_room_for(desk: Desk) -> None:
    for name in "abcd":
        desk.do(partial(put_for, f"{name}@x.test"))
    first, second = take(desk)
    desk.do(lambda tx: release_worker(tx, "w0"))
    take(desk, "w1", room=1)
    (following,) = follow(desk, first, second)
    assert following.lease_id not in (first.lease_id, second.lease_id)
    assert desk.ask(lambda r: r.value("SELECT count(*) FROM queue_lease")) == SETTINGS.per_destination


def test_what_a_lease_holds_by_now_is_not_let_go_with_what_it_held(desk: Desk) -> None:
    desk.do(lambda tx: put(tx, "a@x.test"))
    (first,) = take(desk)
    desk.do(lambda tx: put(tx, "b@x.test"))
    (following,) = follow(desk, first)
    assert following.lease_id == first.lease_id
    assert not desk.do(lambda tx: let_go(tx, first, 0))
    assert desk.ask(depth) == 1


def test_a_lease_that_its_own_worker_has_dropped_comes_back(desk: Desk) -> None:
    desk.do(lambda tx: put(tx, "a@x.test"))
    (dropped,) = take(desk, "w0")
    assert desk.ask(next_due) == desk.now + LEASE_SECONDS
    desk.now += LEASE_SECONDS
    (work,) = take(desk, "w0")
    assert work.recipients == dropped.recipients


def test_the_work_of_a_dead_worker_comes_back(desk: Desk) -> None:
    desk.do(lambda tx: put(tx, "a@x.test"))
    (dead,) = take(desk, "w0")
    assert desk.ask(next_due) == desk.now + LEASE_SECONDS
    desk.now += LEASE_SECONDS
    (work,) = take(desk, "w1")
    assert work.recipients == dead.recipients
    assert desk.ask(lambda r: leases_of(r, "w0")) == set()


def test_a_lease_that_is_renewed_is_kept(desk: Desk) -> None:
    desk.do(lambda tx: put(tx, "a@x.test"))
    (work,) = take(desk, "w0")
    for _ in range(3):
        desk.now += LEASE_SECONDS / 2
        desk.do(lambda tx: renew(tx, [work.lease_id]))
        assert take(desk, "w1") == []


def test_a_clock_that_leaps_takes_nothing_from_who_looks_first(desk: Desk) -> None:
    desk.do(lambda tx: put(tx, "a@x.test"))
    (work,) = take(desk, "w0")
    desk.now += 10 * LEASE_SECONDS
    assert take(desk, "w0", working=(work.lease_id,)) == []
    assert take(desk, "w1") == []


def test_a_worker_that_leaves_gives_everything_back(desk: Desk) -> None:
    desk.do(lambda tx: put(tx, "a@x.test"))
    take(desk, "w0")
    desk.do(lambda tx: release_worker(tx, "w0"))
    assert len(take(desk, "w1")) == 1


def test_a_worker_frees_what_was_leased_to_the_dead_of_its_name(desk: Desk) -> None:
    for destination in ("x", "y", "z"):
        desk.do(partial(put_for, f"a@{destination}.test"))
    take(desk, "w1-dead", room=1)
    take(desk, "w10-lives", room=1)
    take(desk, "w1-new", room=1)
    desk.do(lambda tx: release_predecessors(tx, "w1", "w1-new"))
    assert desk.ask(lambda r: len(leases_of(r, "w1-dead"))) == 0
    assert desk.ask(lambda r: len(leases_of(r, "w10-lives"))) == 1
    assert desk.ask(lambda r: len(leases_of(r, "w1-new"))) == 1
    assert len(take(desk, "w1-new")) == 1


def test_the_last_recipient_takes_the_item_and_its_octets_along(desk: Desk) -> None:
    item_id = desk.do(lambda tx: put(tx, "a@x.test", "b@y.test"))
    first, second = take(desk)
    finish(desk, first)
    assert len(desk.ask(lambda r: read_recipients(r, item_id))) == 1
    assert desk.ask(lambda r: r.value("SELECT refs FROM blob")) == 1
    finish(desk, second)
    assert desk.ask(depth) == 0
    assert desk.ask(lambda r: r.value("SELECT refs FROM blob")) == 0
    assert desk.ask(lambda r: r.value("SELECT count(*) FROM queue_item")) == 0


def test_numbers_that_people_type() -> None:
    assert text_id(7) == "Q000007"
    assert from_text_id("q000007") == 7
    assert from_text_id("T000007") is None
    assert from_text_id("") is None


def test_a_clock_that_ran_years_ahead_puts_nothing_off_for_years(desk: Desk) -> None:
    years = 10 * 365 * 86400.0
    desk.do(partial(put_for, "now@one.test"))
    desk.now += years
    desk.do(partial(put_for, "then@two.test"))
    [work] = take(desk, "dead", room=1)
    desk.now -= years
    latest = latest_due(desk.now, SETTINGS)
    assert desk.ask(partial(is_from_another_time, now=desk.now, latest=latest))
    desk.do(partial(come_back_to_now, latest=latest))
    assert not desk.ask(partial(is_from_another_time, now=desk.now, latest=latest))
    assert len(addresses(take(desk))) == 1
    assert work.lease_id in desk.ask(partial(leases_of, worker="dead")), "a lease is kept for its length"
    desk.now += LEASE_SECONDS
    assert len(addresses(take(desk))) == 2


def test_what_its_sender_has_put_off_is_no_mistake_of_the_clock(desk: Desk) -> None:
    month = 30 * 86400.0
    desk.do(lambda tx: put(tx, "later@one.test", release=Release(desk.now + month, "for;2592000")))
    latest = latest_due(desk.now, SETTINGS)
    assert not desk.ask(partial(is_from_another_time, now=desk.now, latest=latest))
    desk.do(partial(put_for, "now@one.test"))
    assert addresses(take(desk)) == [["now@one.test"]]
    desk.now += month
    assert ["later@one.test"] in addresses(take(desk))


def test_a_month_is_a_month_where_the_clock_ran_years_ahead(desk: Desk) -> None:
    years, month = 10 * 365 * 86400.0, 30 * 86400.0
    desk.now += years
    desk.do(lambda tx: put(tx, "later@one.test", release=Release(desk.now + month, "for;2592000")))
    desk.now -= years
    latest = latest_due(desk.now, SETTINGS)
    assert desk.ask(partial(is_from_another_time, now=desk.now, latest=latest))
    desk.do(partial(come_back_to_now, latest=latest))
    assert not desk.ask(partial(is_from_another_time, now=desk.now, latest=latest))
    desk.now += month - 60
    assert addresses(take(desk)) == []
    desk.now += 60
    assert addresses(take(desk)) == [["later@one.test"]]
