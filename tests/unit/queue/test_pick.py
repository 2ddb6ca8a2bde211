"""Operations on many messages at once: whom a filter means, and what is done to exactly those."""

import pytest

from postroad.config.settings import Queue
from postroad.model.address import parse_mailbox
from postroad.queue.item import read_recipients
from postroad.queue.leases import lease
from postroad.queue.pick import Filter, pick
from postroad.queue.verbs import cancel, hold, list_queue, redirect, release, reschedule, retry, show
from tests.unit.queue.conftest import Desk
from tests.unit.queue.queued import put, recipient


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """Three messages: 1 to two domains, 2 of another sender and an hour younger, 3 a notice."""
    desk.do(lambda tx: put(tx, "a@x.test", "b@y.test"))
    desk.now += 3600
    desk.do(lambda tx: put(tx, "c@x.test", sender="bob@other.test"))
    desk.do(lambda tx: put(tx, "d@z.test", sender=None))
    desk.do(lambda tx: tx.run("UPDATE queue_recipient SET last_words = '451 Greylisted' WHERE item_id = 2"))
    return desk


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), {1: [0, 1], 2: [0], 3: [0]}),
        (Filter(ids=(1, 3, 9)), {1: [0, 1], 3: [0]}),
        (Filter(destination="x.test"), {1: [0], 2: [0]}),
        (Filter(sender="ADA@here.test"), {1: [0, 1]}),
        (Filter(sender="@other.test"), {2: [0]}),
        (Filter(sender="@est"), {}),
        (Filter(sender=""), {3: [0]}),
        (Filter(recipient="B@y.test"), {1: [1]}),
        (Filter(older=1800), {1: [0, 1]}),
        (Filter(said="greylist"), {2: [0]}),
        (Filter(said="%"), {}),
        (Filter(destination="x.test", older=1800), {1: [0]}),
        (Filter(ids=(2,), destination="z.test"), {}),
    ],
)
def test_everything_that_is_said_has_to_hold(
    filled: Desk, wanted: Filter, found: dict[int, list[int]]
) -> None:
    assert filled.ask(lambda reader: pick(reader, wanted, filled.now)) == found


def due(desk: Desk) -> list[str]:
    taken = desk.do(lambda tx: lease(tx, "w0", settings=Queue(), room=100, working=()))
    return sorted(str(r.address) for work in taken for r in work.recipients)


def test_only_the_chosen_recipients_are_held_and_released(filled: Desk) -> None:
    assert filled.do(lambda tx: hold(tx, 1, who="op", numbers=[0])) == 1
    assert [r.held for r in filled.ask(lambda reader: read_recipients(reader, 1))] == [True, False]
    assert filled.do(lambda tx: release(tx, 1, who="op", numbers=[1])) == 0
    assert filled.do(lambda tx: release(tx, 1, who="op", numbers=[0])) == 1
    assert due(filled) == ["a@x.test", "b@y.test", "c@x.test", "d@z.test"]


def test_only_the_chosen_recipients_are_cancelled(filled: Desk) -> None:
    done = filled.do(lambda tx: cancel(tx, 1, who="op", numbers=[1]))
    assert done.removed == ("b@y.test",)
    assert [str(r.address) for r in filled.ask(lambda r: show(r, 1)).recipients] == ["a@x.test"]


def test_another_time_is_kept_until_then(filled: Desk) -> None:
    at = filled.now + 7200
    assert filled.do(lambda tx: reschedule(tx, 1, at=at, who="op", numbers=[0])) == 1
    assert due(filled) == ["b@y.test", "c@x.test", "d@z.test"]
    filled.now = at + 1
    filled.do(lambda tx: retry(tx, 1, numbers=[0]))
    assert "a@x.test" in due(filled)


def test_what_is_redirected_goes_to_another_address_with_all_wishes(desk: Desk) -> None:
    wishes = recipient("a@x.test", ["SUCCESS"], "rfc822;first@x.test")
    desk.do(lambda tx: put(tx, wishes, "b@x.test", ret="HDRS", envid="e1"))
    assert desk.do(lambda tx: redirect(tx, 1, parse_mailbox("new@z.test"), who="op", numbers=[0])) == 1
    old, new = desk.ask(list_queue)
    assert [str(r.address) for r in old.recipients] == ["b@x.test"]
    (one,) = new.recipients
    assert (str(one.address), one.destination) == ("new@z.test", "z.test")
    assert (one.notify, one.original) == (frozenset({"SUCCESS"}), "rfc822;first@x.test")
    assert (new.item.ret, new.item.envid, new.item.size) == ("HDRS", "e1", old.item.size)
    assert desk.ask(lambda reader: reader.value("SELECT refs FROM blob")) == 2
    assert due(desk) == ["b@x.test", "new@z.test"]


def test_the_last_one_that_is_redirected_takes_the_old_message_along(desk: Desk) -> None:
    desk.do(lambda tx: put(tx, "a@x.test", "b@y.test"))
    assert desk.do(lambda tx: redirect(tx, 1, parse_mailbox("new@z.test"), who="op")) == 2
    (only,) = desk.ask(list_queue)
    (one,) = only.recipients
    assert (str(one.address), one.original) == ("new@z.test", "rfc822;a@x.test")
    assert desk.ask(lambda reader: reader.value("SELECT refs FROM blob")) == 1
