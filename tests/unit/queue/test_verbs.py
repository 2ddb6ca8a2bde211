"""What operators do with the queue."""

import asyncio

import pytest

from postroad.config.settings import Queue
from postroad.model.envelope import Release
from postroad.queue.leases import lease
from postroad.queue.verbs import NoSuchItem, cancel, hold, list_queue, release, retry, show
from postroad.testing import MailWorld
from postroad.trail import record
from tests.unit.queue.conftest import Desk
from tests.unit.queue.queued import ADA, inbox, put, queue

SETTINGS = Queue()


def due(desk: Desk) -> list[str]:
    """Whom the workers would try now."""
    taken = desk.do(lambda tx: lease(tx, "w0", settings=SETTINGS, room=100, working=()))
    return [str(recipient.address) for work in taken for recipient in work.recipients]


def postpone(desk: Desk) -> None:
    """As if an attempt had failed."""
    desk.do(lambda tx: tx.run("UPDATE queue_recipient SET due = ?", desk.now + 3600))
    desk.do(lambda tx: tx.run("UPDATE queue_destination SET due = ?", desk.now + 3600))


def test_the_queue_is_listed_oldest_first(desk: Desk) -> None:
    items = [desk.do(lambda tx: put(tx, "a@x.test", "b@x.test")) for _ in range(2)]
    listed = desk.ask(list_queue)
    assert [queued.item.id for queued in listed] == items
    assert [str(r.address) for r in listed[0].recipients] == ["a@x.test", "b@x.test"]
    assert desk.ask(lambda r: show(r, items[1])) == listed[1]


def test_what_is_gone_is_said_to_be(desk: Desk) -> None:
    for verb in (
        lambda tx: show(tx, 1),
        lambda tx: retry(tx, 1),
        lambda tx: hold(tx, 1, who="root"),
        lambda tx: release(tx, 1, who="root"),
        lambda tx: cancel(tx, 1, who="root"),
    ):
        with pytest.raises(NoSuchItem):
            desk.do(verb)


def test_retry_is_for_one_message_one_destination_or_all(desk: Desk) -> None:
    first = desk.do(lambda tx: put(tx, "a@x.test", "b@y.test"))
    desk.do(lambda tx: put(tx, "c@y.test"))
    postpone(desk)
    assert due(desk) == []
    assert desk.do(lambda tx: retry(tx, destination="nowhere.test")) == 0
    assert desk.do(lambda tx: retry(tx, first)) == 2
    assert sorted(due(desk)) == ["a@x.test", "b@y.test"]
    assert desk.do(lambda tx: retry(tx, destination="y.test")) == 2
    assert due(desk) == ["c@y.test"]
    assert desk.do(retry) == 3


def test_what_is_held_waits_until_it_is_released(desk: Desk) -> None:
    item_id = desk.do(lambda tx: put(tx, "a@x.test"))
    assert desk.do(lambda tx: hold(tx, item_id, who="root")) == 1
    assert desk.do(retry) == 0
    assert due(desk) == []
    assert desk.do(lambda tx: release(tx, item_id, who="root")) == 1
    assert due(desk) == ["a@x.test"]
    (trail,) = desk.ask(lambda r: record.find(r, key="a@x.test"))
    assert [(note.kind, note.facts["who"]) for _, note in trail.notes] == [
        ("held", "root"),
        ("released", "root"),
    ]


def test_what_is_cancelled_is_gone(desk: Desk) -> None:
    item_id = desk.do(lambda tx: put(tx, "a@x.test", "b@y.test"))
    cancelled = desk.do(lambda tx: cancel(tx, item_id, who="root"))
    assert cancelled.removed == ("a@x.test", "b@y.test")
    assert desk.ask(list_queue) == []
    assert due(desk) == []


def test_who_is_being_tried_is_cancelled_after_that(desk: Desk) -> None:
    item_id = desk.do(lambda tx: put(tx, "a@x.test", "b@y.test"))
    desk.do(lambda tx: hold(tx, item_id, who="root"))
    desk.do(lambda tx: tx.run("UPDATE queue_recipient SET held = 0 WHERE n = 0"))
    assert due(desk) == ["a@x.test"]
    cancelled = desk.do(lambda tx: cancel(tx, item_id, who="root"))
    assert (cancelled.removed, cancelled.marked) == (("b@y.test",), ("a@x.test",))
    (recipient,) = desk.ask(lambda r: show(r, item_id)).recipients
    assert recipient.cancelled
    assert recipient.notify == {"NEVER"}


@pytest.mark.parametrize("bounce", [False, True])
def test_the_sender_hears_of_a_cancellation_if_that_is_wanted(bounce: bool) -> None:
    async def run() -> None:
        async with MailWorld() as world:
            await world.add_account(ADA)
            world.resolver.broken.add("x.test")
            item_id = await queue(world, "a@x.test")
            await world.change(lambda tx: cancel(tx, item_id, who="root", bounce=bounce))
            await world.settle()
            assert world.queue() == []
            texts = inbox(world)
        assert len(texts) == bounce
        assert all(b"cancelled by the postmaster" in text for text in texts)

    asyncio.run(run())


def test_a_person_does_not_wait_for_a_silent_host() -> None:
    async def run() -> None:
        async with MailWorld(workers=1) as world:
            await world.add_account(ADA)
            world.resolver.add_address("mx.x.test", "127.0.1.1")
            world.resolver.add_mx("x.test", "mx.x.test")
            item_id = await queue(world, "a@x.test")
            remote = await world.remote("x.test")
            await queue(world, "b@x.test")
            assert remote.connections == 0, "the host fell silent a moment ago"
            await world.change(lambda tx: retry(tx, item_id))
            await world.settle()
            assert [taken.recipients for taken in remote.messages] == [["a@x.test"]]

    asyncio.run(run())


def test_what_its_sender_has_put_off_goes_when_an_operator_releases_it_and_not_by_a_retry(desk: Desk) -> None:
    release_at = Release(desk.now + 3600, "for;3600")
    item_id = desk.do(lambda tx: put(tx, "a@x.test", "b@x.test", release=release_at))
    assert desk.do(lambda tx: retry(tx, item_id)) == 0
    assert desk.do(lambda tx: retry(tx, destination="x.test")) == 0
    assert desk.do(retry) == 0
    assert due(desk) == []
    assert desk.do(lambda tx: release(tx, item_id, who="root", numbers=[0])) == 1
    assert due(desk) == ["a@x.test"]
    desk.now += 3600
    assert desk.do(lambda tx: retry(tx, item_id, numbers=[1])) == 1, "its time has come"
    assert "b@x.test" in due(desk)
