"""The queue at work: retries, delays, bounces, hosts that are dead, people who cannot wait."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from postroad.config.settings import Queue
from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.model.refusal import Unavailable
from postroad.queue.leases import lease
from postroad.queue.runner import RENEW_SECONDS, RETRY_SECONDS
from postroad.queue.spool import LEASE_SECONDS
from postroad.testing import MailWorld
from postroad.testing.clock import ManualClock, turns
from postroad.testing.remote import Drop, Hang, Hold
from tests.unit.queue.queued import ADA, MESSAGE, inbox, put, queue, recipient, waiting

T = TypeVar("T")


def play(
    scene: Callable[[MailWorld], Awaitable[None]], settings: Queue | None = None, workers: int = 2
) -> None:
    """Run a scene in a world with the account ada@here.test."""

    async def run() -> None:
        async with MailWorld(queue=settings, workers=workers) as world:
            await world.add_account(ADA)
            await scene(world)

    asyncio.run(run())


def test_a_message_is_delivered_and_forgotten() -> None:
    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        await queue(world, "bob@remote.test", "carl@remote.test")
        (taken,) = remote.messages
        assert taken.recipients == ["bob@remote.test", "carl@remote.test"]
        assert world.queue() == []
        assert world.read(lambda r: r.value("SELECT refs FROM blob")) == 0
        assert world.read(lambda r: r.value("SELECT count(*) FROM queue_destination")) == 0

    play(scene)


def test_a_deferral_is_tried_again_for_those_it_concerns() -> None:
    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        remote.answer("RCPT", "451 4.7.1 greylisted", to="carl@", times=1)
        await queue(world, "bob@remote.test", "carl@remote.test")
        assert waiting(world) == ["carl@remote.test"]
        ((queued,),) = [q.recipients for q in world.queue()]
        assert (queued.attempts, queued.last_words) == (1, "451 4.7.1 greylisted")
        await world.advance(minutes=6)
        assert [taken.recipients for taken in remote.messages] == [["bob@remote.test"], ["carl@remote.test"]]
        assert world.queue() == []

    play(scene)


class _SlowToHear:
    """A database whose next write is done long before whoever waits for it hears of that."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._first = True
        self.done = asyncio.Event()
        self.hear = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        result = await self._database.write(work)
        if self._first:  # an outcome, and the next lease
            self._first = False
            self.done.set()
            await self.hear.wait()
        return result


def test_a_lease_that_has_just_ended_is_not_taken_for_lost() -> None:
    """The next one, taken in the same transaction, would have nobody who works on it."""

    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        runner = world.workers[0].queue
        slow = _SlowToHear(runner._database)
        runner._settler._database = slow  # type: ignore[assignment]  # it is one in all that counts here
        for name in ("bob", "carl"):
            await world.change(lambda tx, name=name: put(tx, f"{name}@remote.test"))  # type: ignore[misc]
        await slow.done.wait()
        assert isinstance(world.clock, ManualClock)
        await world.clock.advance(RENEW_SECONDS)  # it looks which leases are still its own
        await world.change(lambda tx: None)  # and has
        await turns()
        slow.hear.set()
        async with asyncio.timeout(20):
            await remote.until_taken(2)
        await world.settle()
        assert world.queue() == []

    play(scene, Queue(allow_private_addresses=True, per_destination=1), workers=1)


def test_a_lease_that_ended_before_its_worker_heard_of_it_is_not_used() -> None:
    """The disk, or the machine, stood still for two minutes: by now another worker has delivered."""

    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        await world.settle()
        first = world.workers[0].queue
        slow = _SlowToHear(first._database)
        first._database = slow  # type: ignore[assignment]  # it is one in all that counts here
        await world.workers[0].store.database.write(lambda tx: put(tx, "bob@remote.test"))
        await slow.done.wait()
        assert isinstance(world.clock, ManualClock)
        await world.clock.advance(LEASE_SECONDS + 1)
        await world.settle()
        assert len(remote.messages) == 1
        slow.hear.set()
        await turns()
        await asyncio.wait(first._work.values())
        assert len(remote.messages) == 1

    play(scene)


@pytest.mark.parametrize("when", ["at the look", "before the sleep"])
@pytest.mark.parametrize("error", [Unavailable("the disk"), RuntimeError("a bug")])
def test_a_look_at_the_queue_that_fails_is_not_the_last(
    error: Exception, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    def broken(database: Database) -> float | None:
        if when == "at the look" or asked.is_set():
            asked.set()
            raise error
        asked.set()
        return None

    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        await world.settle()
        with monkeypatch.context() as patch:
            patch.setattr("postroad.queue.spool.next_due", broken)
            world.workers[0].queue._look.set()
            await asked.wait()
            await turns()
        assert isinstance(world.clock, ManualClock)
        await world.clock.advance(RETRY_SECONDS)
        await queue(world, "bob@remote.test")
        assert len(remote.messages) == 1

    play(scene, workers=1)


def test_leases_are_renewed_behind_a_look_at_them_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> set[int]:
        raise Unavailable("the disk")

    async def scene(world: MailWorld) -> None:
        remote, hold = await world.remote("remote.test"), Hold("250 2.0.0 taken")
        remote.answer("END", hold)
        await world.change(lambda tx: put(tx, "bob@remote.test"))
        await remote.until(".")
        assert isinstance(world.clock, ManualClock)
        with monkeypatch.context() as patch:
            patch.setattr("postroad.queue.leases.leases_of", broken)
            await world.clock.advance(RENEW_SECONDS)
            await world.change(lambda tx: None)
        for _ in range(8):
            await world.clock.advance(RENEW_SECONDS)
            await world.change(lambda tx: None)
        hold.let_go()
        await remote.until_taken()
        await world.settle()
        assert remote.connections == 1
        assert len(remote.messages) == 1

    play(scene)


def test_a_failure_goes_back_with_the_words_of_the_remote() -> None:
    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        remote.answer("RCPT", "550 5.1.1 <bob>: who is that?", to="bob@")
        await queue(world, "bob@remote.test", "carl@remote.test")
        (bounce,) = inbox(world)
        text = bounce.decode()
        assert text.startswith("Return-Path: <>\r\n")
        assert "Final-Recipient: rfc822; bob@remote.test\r\nAction: failed\r\nStatus: 5.1.1\r\n" in text
        assert "Remote-MTA: dns; mx.remote.test\r\n" in text
        assert "Diagnostic-Code: smtp; 550 5.1.1 <bob>: who is that?\r\n" in text
        assert "carl@remote.test" not in text
        assert world.queue() == []

    play(scene)


def test_a_dead_host_is_given_up_after_five_days_and_the_sender_hears_twice() -> None:
    async def scene(world: MailWorld) -> None:
        world.resolver.add_address("remote.test", "127.0.0.99")
        await queue(world, "bob@remote.test")
        await world.advance(hours=3.9)
        assert inbox(world) == []
        await world.advance(hours=0.2)
        assert len(inbox(world)) == 1
        await world.advance(days=4)
        assert len(inbox(world)) == 1
        assert waiting(world) == ["bob@remote.test"]
        await world.advance(days=1)
        delayed, failed = [message.decode() for message in inbox(world)]
        assert "Action: delayed\r\n" in delayed
        assert "Will-Retry-Until: " in delayed
        assert "Action: failed\r\nStatus: 4.4.7\r\n" in failed
        assert world.queue() == []

    play(scene)


@pytest.mark.parametrize(
    ("notify", "notices"), [((), 2), (("NEVER",), 0), (("FAILURE",), 1), (("DELAY",), 1)]
)
def test_senders_hear_what_they_asked_for(notify: tuple[str, ...], notices: int) -> None:
    async def scene(world: MailWorld) -> None:
        world.resolver.add_address("remote.test", "127.0.0.99")
        await queue(world, recipient("bob@remote.test", notify))
        await world.advance(days=6)
        assert world.queue() == []
        assert len(inbox(world)) == notices

    play(scene)


def test_nobody_hears_of_what_the_null_sender_sent() -> None:
    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        remote.answer("RCPT", "550 no")
        await queue(world, "bob@remote.test", sender=None)
        assert world.queue() == []
        assert remote.connections == 1

    play(scene)


def test_a_sender_elsewhere_gets_the_bounce_through_the_queue() -> None:
    async def scene(world: MailWorld) -> None:
        remote, origin = await world.remote("remote.test"), await world.remote("origin.test")
        remote.answer("RCPT", "550 5.1.1 no")
        await queue(world, "bob@remote.test", sender="eve@origin.test")
        (bounce,) = origin.messages
        assert (bounce.sender, bounce.recipients) == ("", ["eve@origin.test"])
        assert world.queue() == []

    play(scene)


def test_success_is_reported_where_the_remote_will_not() -> None:
    async def scene(world: MailWorld) -> None:
        knows, plain = await world.remote("knows.test"), await world.remote("plain.test")
        plain.extensions = ["PIPELINING"]
        for name in ("knows.test", "plain.test"):
            await queue(
                world, recipient(f"bob@{name}", ["SUCCESS"], "rfc822;bob+2Bx@there.test"), envid="A+2B1"
            )
        (notice,) = inbox(world)
        assert b"Original-Envelope-Id: A+1\r\n" in notice
        assert b"Original-Recipient: rfc822; bob+x@there.test\r\n" in notice
        assert b"Final-Recipient: rfc822; bob@plain.test\r\nAction: relayed\r\n" in notice
        assert knows.said("RCPT") == [
            "RCPT TO:<bob@knows.test> NOTIFY=SUCCESS ORCPT=rfc822;bob+2Bx@there.test"
        ]
        assert "ENVID=A+2B1" in knows.said("MAIL")[0]

    play(scene)


def test_a_full_mailbox_does_not_keep_a_bounce_in_the_queue() -> None:
    async def scene(world: MailWorld) -> None:
        await world.add_account("full@here.test", quota_bytes=1)
        remote = await world.remote("remote.test")
        remote.answer("RCPT", "550 5.1.1 no")
        await queue(world, "bob@remote.test", sender="full@here.test")
        assert world.queue() == []
        (trail,) = world.trail("bob@remote.test")
        assert str(trail.notes[-1][1].facts["problem"]).startswith("OverQuota")

    play(scene)


def test_a_dead_destination_does_not_slow_another() -> None:
    async def scene(world: MailWorld) -> None:
        world.resolver.add_address("dead.test", "127.0.0.99")
        remote = await world.remote("alive.test")
        for _ in range(30):
            await queue(world, "bob@dead.test")
        await queue(world, "bob@alive.test")
        assert len(remote.messages) == 1
        assert len(world.queue()) == 30
        remote = await world.remote("dead.test", host="mx.dead.test")
        await world.advance(hours=1)
        assert len(remote.messages) == 30
        assert world.queue() == []

    play(scene)


def test_hosts_are_tried_in_order_and_a_connection_is_used_again() -> None:
    async def scene(world: MailWorld) -> None:
        first = await world.remote("remote.test", preference=10)
        second = await world.remote("remote.test", preference=20, host="mx2.remote.test")
        first.answer("CONNECT", "421 4.3.2 not now", times=1)
        await queue(world, "bob@remote.test")
        assert [len(server.messages) for server in (first, second)] == [0, 1]
        for _ in range(3):
            await queue(world, "bob@remote.test")
        assert len(first.messages) == 3
        assert first.connections < 4

    play(scene)


def test_an_idle_connection_that_died_costs_no_attempt() -> None:
    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        await queue(world, "bob@remote.test")
        for _ in range(2):
            remote.answer("MAIL", Drop(), times=1)
            await queue(world, "bob@remote.test")
        assert len(remote.messages) == 3

    play(scene)


def test_domains_that_cannot_be_reached() -> None:
    async def scene(world: MailWorld) -> None:
        world.resolver.add_mx("silent.test", "")
        world.resolver.add_mx("loop.test", world.settings.hostname)
        world.resolver.broken.add("broken.test")
        names = ["nowhere.test", "silent.test", "loop.test", "broken.test"]
        await queue(world, *(f"bob@{name}" for name in names))
        bounces = b"".join(inbox(world)).decode()
        for status in ("5.1.2", "5.1.10", "5.4.6"):
            assert f"Status: {status}\r\n" in bounces
        assert waiting(world) == ["bob@broken.test"]

    play(scene)


def test_private_addresses_are_not_contacted_unless_allowed() -> None:
    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        await queue(world, "bob@remote.test")
        assert remote.connections == 0
        (bounce,) = inbox(world)
        assert b"Status: 5.4.4\r\n" in bounce

    play(scene, Queue())


def test_what_stays_here_waits_untried() -> None:
    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        await world.change(lambda tx: put(tx, "bob@remote.test"))
        await world.advance(days=6)
        assert waiting(world) == ["bob@remote.test"]
        assert remote.connections == 0

    play(scene, Queue(remote=False, allow_private_addresses=True))


def test_the_work_of_a_worker_that_died_is_done_by_another() -> None:
    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        await world.change(lambda tx: _die_with_it(tx, put(tx, "bob@remote.test")))
        assert isinstance(world.clock, ManualClock)
        await world.clock.advance(LEASE_SECONDS - 1)
        assert remote.connections == 0
        await world.clock.advance(2)
        await world.settle()
        assert len(remote.messages) == 1

    play(scene)


def _die_with_it(tx: Transaction, item_id: int) -> None:
    assert len(lease(tx, "dead", settings=Queue(), room=10, working=())) == 1


def test_who_may_take_nothing_more_does_not_ask_on_and_on(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def counted(*given: Any, **named: Any) -> Any:
        nonlocal looks
        looks += 1
        return lease(*given, **named)

    monkeypatch.setattr("postroad.queue.runner.leases.lease", counted)

    async def scene(world: MailWorld) -> None:
        remote, other = await world.remote("remote.test"), await world.remote("other.test")
        remote.answer("END", hold := Hold("250 2.0.0 taken"))
        await world.change(lambda tx: put(tx, "bob@remote.test"))
        await remote.until(".")
        await world.change(lambda tx: put(tx, "carl@other.test"))
        before = looks
        for _ in range(50):
            await world.change(lambda tx: None)
        assert looks - before <= 4  # two workers, each told of the message; and one more in case
        assert other.messages == []
        hold.let_go()
        await remote.until_taken()
        await world.advance(minutes=1)
        assert len(other.messages) == 1

    play(scene, Queue(allow_private_addresses=True, active=1))


def test_workers_that_stop_give_back_what_they_cannot_finish() -> None:
    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        remote.answer("END", Hang(), times=1)
        await world.change(lambda tx: put(tx, "bob@remote.test"))
        await remote.until(".")
        await world.stop_workers(grace=0.05)
        await world.start()
        await world.settle()
        assert len(remote.messages) == 1
        assert world.queue() == []

    play(scene)


def test_workers_that_stop_finish_what_is_under_way() -> None:
    async def scene(world: MailWorld) -> None:
        remote, hold = await world.remote("remote.test"), Hold("250 2.0.0 taken")
        remote.answer("END", hold)
        await world.change(lambda tx: put(tx, "bob@remote.test"))
        await remote.until(".")
        stopping = asyncio.create_task(world.stop_workers(grace=10))
        await turns()
        hold.let_go()
        await stopping
        await world.start()
        await world.settle()
        assert world.queue() == []
        assert len(remote.messages) == 1

    play(scene)


def test_a_message_of_fifty_megabytes_arrives_whole() -> None:
    body = MESSAGE + b"x" * 78 + b"\r\n"
    body += body[-80:] * 620_000

    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        await world.change(lambda tx: put(tx, "bob@remote.test", body=body))
        await remote.until_taken()
        await world.settle()
        (taken,) = remote.messages
        assert taken.body == body

    play(scene)


def test_a_new_message_goes_on_without_a_look_at_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        await world.settle()
        monkeypatch.setattr("postroad.queue.leases.lease", lambda *_, **__: pytest.fail("nobody has to look"))
        worker = world.workers[0]
        await worker.store.database.write(lambda tx: put(tx, "bob@remote.test", claims=worker.queue.claims))
        await world.settle()
        assert [taken.recipients for taken in remote.messages] == [["bob@remote.test"]]
        assert world.queue() == []
        assert world.read(lambda r: r.rows("SELECT * FROM queue_lease")) == []

    play(scene)


def test_a_worker_that_leaves_before_it_hears_of_a_commit_gives_the_message_back() -> None:
    async def scene(world: MailWorld) -> None:
        remote = await world.remote("remote.test")
        worker = world.workers[0]
        await worker.store.database.write(lambda tx: put(tx, "bob@remote.test", claims=worker.queue.claims))
        assert world.read(lambda r: r.value("SELECT count(*) FROM queue_lease")) == 1
        await worker.queue.stop(0.0)  # what follows the commit has not come yet
        assert remote.messages == []
        assert world.read(lambda r: r.rows("SELECT * FROM queue_lease")) == []
        assert waiting(world) == ["bob@remote.test"]

    play(scene, workers=1)
