"""New messages that go on at once: only where nobody is passed over, and never before they are safe."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from postroad.config.settings import Queue
from postroad.db.offline import prepare_data
from postroad.db.transaction import Transaction
from postroad.model.envelope import Release
from postroad.net.clock import SystemClock
from postroad.queue import pace, spool
from postroad.queue.claims import Claims
from postroad.queue.item import Work, read_item, read_recipients
from postroad.queue.leases import lease, next_for, touch
from postroad.queue.pace import Signal
from postroad.queue.spool import TOPIC
from postroad.smtp.exchange import SMALL
from postroad.store.messages import open_shared
from postroad.store.store import Store
from tests.unit.queue.queued import MESSAGE, put

SETTINGS = Queue(per_destination=3)


class Taker:
    """A worker that takes messages."""

    def __init__(self, store: Store, settings: Queue) -> None:
        self.store = store
        self.settings = settings
        self.hands = 100
        self.begun: list[Work] = []
        self.claims = Claims("w0", lambda: settings, lambda: self.hands - len(self.begun), self.begun.append)
        self.claims.open = True

    async def write(self, *work: Callable[[Transaction], object]) -> None:
        """Do it all in one transaction."""
        await asyncio.gather(*(self.store.database.write(one) for one in work))
        await self.store.database.write(lambda _: None)  # what follows a commit comes behind it

    async def take(self, *addresses: str, body: bytes = MESSAGE, release: Release | None = None) -> list[str]:
        """Take a message for each address, in one transaction; give for whom it goes on at once."""

        def one(address: str) -> Callable[[Transaction], object]:
            return lambda tx: put(tx, *address.split(), body=body, release=release, claims=self.claims)

        before = len(self.begun)
        await self.write(*map(one, addresses))
        return [str(r.address) for work in self.begun[before:] for r in work.recipients]

    async def look(self) -> list[str]:
        """Lease what is due, as a worker does that looks for work; give for whom that is."""
        taken = await self.store.database.write(
            lambda tx: lease(tx, "w1", settings=self.settings, room=100, working=())
        )
        return [str(r.address) for work in taken for r in work.recipients]


Scene = Callable[[Taker], Awaitable[None]]


def play(data: Path, scene: Scene, settings: Queue = SETTINGS) -> None:
    """Run a scene over a data directory of its own."""

    async def run() -> None:
        prepare_data(data)
        store = Store(data, SystemClock(), name="w0")
        try:
            await scene(Taker(store, settings))
        finally:
            await store.close()

    asyncio.run(run())


def test_what_goes_on_at_once_is_what_the_queue_holds(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        assert await taker.take("bob@x.test carl@y.test dan@x.test") == [
            "bob@x.test",
            "dan@x.test",
            "carl@y.test",
        ]
        database = taker.store.database
        for work in taker.begun:
            assert work.item == database.read(lambda r: read_item(r, work.item.id))  # noqa: B023 - called at once
            assert work.held is not None
            assert work.held.read(0, work.held.size) == MESSAGE
            assert work.place is not None
            shared = open_shared(taker.store.packs, work.place)
            assert shared.read(0, shared.size) == MESSAGE
        written = database.read(lambda r: read_recipients(r, taker.begun[0].item.id))
        held = [recipient for work in taker.begun for recipient in work.recipients]
        assert sorted(written, key=lambda r: r.n) == sorted(held, key=lambda r: r.n)
        assert database.read(lambda r: r.rows("SELECT * FROM queue_destination")) == []
        leased = database.read(
            lambda r: r.rows("SELECT id, worker, destination, recipients FROM queue_lease")
        )
        assert leased == [
            (work.lease_id, "w0", work.destination, len(work.recipients)) for work in taker.begun
        ]
        assert await taker.look() == []

    play(tmp_path, scene)


def test_a_large_message_is_not_kept_in_memory(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        large = MESSAGE + b"x\r\n" * SMALL
        assert await taker.take("bob@x.test", body=large) == ["bob@x.test"]
        (work,) = taker.begun
        assert work.held is None
        assert work.place is not None
        assert open_shared(taker.store.packs, work.place).read(0, len(large)) == large

    play(tmp_path, scene)


def test_what_is_older_goes_first(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        await taker.write(lambda tx: put(tx, "old@x.test"))
        assert await taker.take("new@x.test", "else@y.test") == ["else@y.test"]
        assert await taker.look() == ["old@x.test", "new@x.test"]

    play(tmp_path, scene)


def test_no_more_than_the_destination_bears(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        people = [f"r{n}@x.test" for n in range(5)]
        assert await taker.take(*people[:2]) == people[:2]
        assert await taker.take(*people[2:]) == people[2:3]
        assert await taker.take("late@x.test") == []  # those in front of it wait still
        assert await taker.look() == []

    play(tmp_path, scene)


def test_no_more_than_an_operator_allows_in_a_minute(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        assert await taker.take("a@x.test", "b@x.test", "c@y.test") == ["a@x.test", "c@y.test"]
        assert await taker.look() == []

    play(tmp_path, scene, Queue(per_minute=10))


def test_a_limit_that_destinations_share_holds_for_them_together(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        await taker.write(
            lambda tx: tx.run(
                "INSERT INTO route"
                " (domain, after, transport, host, port, tls, login, password, sources, created, per_minute)"
                " VALUES ('*', 0, 'smtp', 'relay.test', 25, 'may', '', x'', '[]', 0, 10)"
            )
        )
        assert await taker.take("a@x.test", "b@y.test") == ["a@x.test"]

    play(tmp_path, scene)


def test_a_destination_that_rests_is_left_alone(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        await taker.write(lambda tx: pace.learn(tx, "x.test", [Signal.REST], SETTINGS))
        assert await taker.take("a@x.test", "b@y.test") == ["b@y.test"]
        assert await taker.look() == []

    play(tmp_path, scene)


def test_beside_what_waits_for_later_there_is_room_but_one_where_nobody_answers(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        def later(tx: Transaction, domain: str, *, ailing: bool) -> None:
            item = put(tx, f"later@{domain}")
            tx.run("UPDATE queue_recipient SET due = due + 300 WHERE item_id = ?", item)
            touch(tx, domain, SETTINGS, ailing=ailing)

        await taker.write(
            lambda tx: later(tx, "x.test", ailing=False), lambda tx: later(tx, "y.test", ailing=True)
        )
        assert await taker.take("a@x.test", "b@x.test", "c@y.test", "d@y.test") == [
            *("a@x.test", "b@x.test", "c@y.test")
        ]

    play(tmp_path, scene)


def test_what_its_sender_has_put_off_waits(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        at = SystemClock().now() + 3600
        assert await taker.take("a@x.test", release=Release(at, "for;3600")) == []

    play(tmp_path, scene)


def test_half_of_what_can_be_done_is_for_what_has_waited(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        assert await taker.take("a@x.test b@x.test", "c@y.test", "d@z.test") == [
            "a@x.test",
            "b@x.test",
            "c@y.test",
        ]
        taker.hands = 2
        assert await taker.take("e@v.test") == []
        assert await taker.look() == ["d@z.test", "e@v.test"]

    play(tmp_path, scene, Queue(active=6))


def test_nothing_is_claimed_by_who_is_leaving(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        taker.claims.open = False
        assert await taker.take("a@x.test") == []
        assert await taker.look() == ["a@x.test"]

    play(tmp_path, scene)


@pytest.mark.parametrize("alone", [True, False])
def test_what_is_undone_is_not_begun(tmp_path: Path, alone: bool) -> None:
    async def scene(taker: Taker) -> None:
        def fails(tx: Transaction) -> None:
            put(tx, "a@x.test", claims=taker.claims)
            raise KeyError

        others = [] if alone else [lambda tx: put(tx, "b@x.test", claims=taker.claims)]
        with pytest.raises(KeyError):
            await taker.write(fails, *others)
        await taker.write()
        assert [str(r.address) for work in taker.begun for r in work.recipients] == ["b@x.test"] * (not alone)
        assert taker.store.database.read(lambda r: r.value("SELECT count(*) FROM queue_lease")) == (not alone)

    play(tmp_path, scene)


def test_widths_are_looked_up_anew_behind_what_others_lease_in_the_same_transaction(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        def others(tx: Transaction) -> None:
            put(tx, "c@x.test")
            put(tx, "d@x.test")
            assert len(lease(tx, "w1", settings=SETTINGS, room=100, working=())) == 2
            taker.claims.forget()

        def take(address: str) -> Callable[[Transaction], object]:
            return lambda tx: put(tx, address, claims=taker.claims)

        await taker.write(take("a@x.test"), others, take("b@x.test"))
        assert len(taker.begun) == 1

    play(tmp_path, scene)


def test_what_waits_for_a_lease_to_end_wakes_nobody(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        hints: list[None] = []
        taker.store.watch.subscribe(TOPIC, lambda: hints.append(None))
        assert len(await taker.take(*(f"r{n}@x.test" for n in range(4)))) == 3
        assert await taker.look() == []
        assert hints == [None]
        assert await taker.take("late@x.test") == []
        assert hints == [None]
        ends = taker.store.database.read(lambda r: r.value("SELECT min(expires) FROM queue_lease"))
        assert spool.next_due(taker.store.database) == ends
        ended = [work.lease_id for work in taker.begun[:2]]
        following = await taker.store.database.write(
            lambda tx: next_for(tx, "w0", "x.test", ended, SETTINGS, ailing=False)
        )
        assert [str(r.address) for work in following for r in work.recipients] == ["r3@x.test", "late@x.test"]

    play(tmp_path, scene)


def test_what_would_wait_for_a_lease_that_nobody_has_is_announced(tmp_path: Path) -> None:
    async def scene(taker: Taker) -> None:
        await taker.write(lambda tx: put(tx, "old@x.test"))
        await taker.write(lambda tx: tx.run("UPDATE queue_destination SET due = NULL"))
        assert await taker.take("new@x.test") == []
        assert await taker.look() == ["old@x.test", "new@x.test"]

    play(tmp_path, scene)
