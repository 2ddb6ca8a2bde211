"""How much a destination bears: learned from codes, never from texts."""

import pytest

from postroad.config.settings import Queue
from postroad.db.transaction import Transaction
from postroad.queue.leases import end_lease, lease, touch
from postroad.queue.pace import (
    FORGOTTEN,
    REST_FIRST,
    REST_LONGEST,
    TOGETHER,
    WIDTH_FIRST,
    Signal,
    forget_old,
    heard,
    learn,
    pace_of,
)
from postroad.queue.spool import next_due, remove_recipients
from postroad.queue.verbs import retry
from postroad.smtp.outcome import Outcome, Verdict
from tests.unit.queue.conftest import Desk
from tests.unit.queue.queued import put

THERE = "there.test"


def outcome(code: int, enhanced: str = "", *, spoken: bool = True) -> Outcome:
    verdict = {2: Verdict.DELIVERED, 4: Verdict.DEFERRED, 5: Verdict.FAILED}.get(
        code // 100, Verdict.DEFERRED
    )
    return Outcome(verdict, code, enhanced, "too many connections, slow down", spoken=spoken)


@pytest.mark.parametrize(
    ("outcomes", "signal"),
    [
        ([outcome(250)], Signal.MORE),
        ([outcome(550)], Signal.NOTHING),
        ([outcome(451, "4.7.1")], Signal.NOTHING),
        ([outcome(452, "4.2.2")], Signal.NOTHING),
        ([outcome(450)], Signal.LESS),
        ([outcome(250), outcome(450)], Signal.LESS),
        ([outcome(450), outcome(250)], Signal.LESS),
        ([outcome(421)], Signal.REST),
        ([outcome(451, "4.3.2")], Signal.REST),
        ([outcome(451, "4.4.5")], Signal.REST),
        ([outcome(450), outcome(421)], Signal.REST),
        ([outcome(421, spoken=False)], Signal.NOTHING),
        ([outcome(0, "4.4.1", spoken=False)], Signal.NOTHING),
        ([], Signal.NOTHING),
    ],
)
def test_codes_are_heard_and_texts_are_not(outcomes: list[Outcome], signal: Signal) -> None:
    assert heard(outcomes) is signal


def told(desk: Desk, signal: Signal, times: int = 1, apart: float = TOGETHER) -> None:
    for _ in range(times):
        desk.now += apart
        desk.do(lambda tx: learn(tx, THERE, [signal], Queue()))


def width(desk: Desk) -> int:
    return desk.ask(lambda reader: pace_of(reader, THERE)).width


def test_it_begins_with_little_and_grows_up_to_the_limit(desk: Desk) -> None:
    assert width(desk) == WIDTH_FIRST
    told(desk, Signal.MORE, 3)
    assert width(desk) == WIDTH_FIRST + 3
    told(desk, Signal.MORE, 100)
    assert width(desk) == Queue().per_destination


def test_a_complaint_halves_it_down_to_one(desk: Desk) -> None:
    told(desk, Signal.MORE, 100)
    told(desk, Signal.LESS)
    assert width(desk) == 10
    told(desk, Signal.LESS, 10)
    assert width(desk) == 1


def test_complaints_of_one_moment_are_one(desk: Desk) -> None:
    told(desk, Signal.MORE, 100)
    told(desk, Signal.REST, 20, apart=0.0)
    pace = desk.ask(lambda reader: pace_of(reader, THERE))
    assert (pace.width, pace.rests) == (10, 1)


def test_rests_grow_until_something_is_delivered(desk: Desk) -> None:
    told(desk, Signal.REST)
    pace = desk.ask(lambda reader: pace_of(reader, THERE))
    assert pace.rest_until == desk.now + REST_FIRST
    told(desk, Signal.MORE, apart=1.0)
    assert desk.ask(lambda reader: pace_of(reader, THERE)) == pace, "that was under way already"
    told(desk, Signal.REST, 20, apart=2000.0)
    assert desk.ask(lambda reader: pace_of(reader, THERE)).rest_until == desk.now + REST_LONGEST
    told(desk, Signal.MORE, apart=2000.0)
    pace = desk.ask(lambda reader: pace_of(reader, THERE))
    assert (pace.rests, pace.rest_until) == (0, 0.0)


def leased(desk: Desk) -> int:
    return len(desk.do(lambda tx: lease(tx, "w0", settings=Queue(), room=100, working=[])))


def test_no_more_is_begun_than_it_bears(desk: Desk) -> None:
    desk.do(lambda tx: [put(tx, f"r{n}@there.test") for n in range(30)])
    desk.do(lambda tx: [put(tx, f"r{n}@other.test") for n in range(3)])
    desk.now += 1
    assert leased(desk) == WIDTH_FIRST + 3


def test_nothing_is_begun_while_it_rests_and_others_go_on(desk: Desk) -> None:
    desk.do(lambda tx: [put(tx, f"r{n}@there.test") for n in range(3)])
    told(desk, Signal.REST)
    desk.do(lambda tx: touch(tx, THERE, Queue()))
    desk.do(lambda tx: put(tx, "r@other.test"))
    assert leased(desk) == 1
    assert desk.ask(next_due) == desk.now + REST_FIRST
    desk.now += REST_FIRST
    assert leased(desk) == WIDTH_FIRST // 2


def test_new_mail_does_not_wake_who_rests(desk: Desk) -> None:
    told(desk, Signal.REST)
    desk.do(lambda tx: put(tx, "r@there.test"))
    assert leased(desk) == 0
    assert desk.ask(next_due) == desk.now + REST_FIRST


def test_a_person_may_end_the_rest(desk: Desk) -> None:
    told(desk, Signal.REST)
    desk.do(lambda tx: put(tx, "r@there.test"))
    assert leased(desk) == 0
    desk.do(lambda tx: retry(tx, destination=THERE))
    assert leased(desk) == 1


def test_what_was_learned_outlives_an_empty_queue_for_a_day(desk: Desk) -> None:
    told(desk, Signal.MORE, 2)

    def one_life(tx: Transaction) -> None:
        put(tx, "r@there.test")
        (work,) = lease(tx, "w0", settings=Queue(), room=1, working=[])
        remove_recipients(tx, work.item, [0])
        end_lease(tx, work.lease_id)
        touch(tx, THERE, Queue())

    desk.do(one_life)
    assert width(desk) == WIDTH_FIRST + 2
    desk.now += FORGOTTEN + 1
    desk.do(forget_old)
    assert width(desk) == WIDTH_FIRST
