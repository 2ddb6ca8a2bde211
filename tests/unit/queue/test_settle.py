"""Work that ends at the same time: it is written together, and nobody suffers for another's trouble."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from postroad.config.settings import Queue
from postroad.db.offline import prepare_data
from postroad.db.transaction import Transaction
from postroad.net.clock import SystemClock
from postroad.queue import outcome
from postroad.queue.item import Work
from postroad.queue.leases import lease, leases_of
from postroad.queue.outcome import Judged
from postroad.queue.settle import Ended, Settler
from postroad.queue.spool import depth
from postroad.smtp.outcome import Outcome, Verdict
from postroad.store.store import Store
from tests.unit.queue.queued import put

SETTINGS = Queue(per_destination=3)
TAKEN = Outcome(Verdict.DELIVERED, 250, "2.0.0", "taken", "mx.x.test", "192.0.2.1")


class Worker:
    """The part of a worker that writes, with messages for one destination."""

    def __init__(self, store: Store) -> None:
        self.database = store.database
        self.settler = Settler(store.database, "w0", lambda: SETTINGS)

    async def put(self, count: int) -> None:
        for n in range(count):
            await self.database.write(partial(_put, f"r{n}@x.test"))

    async def take(self, most: int = 100) -> list[Work]:
        return await self.database.write(lambda tx: lease(tx, "w0", settings=SETTINGS, room=most, working=()))

    def waiting(self) -> int:
        return self.database.read(depth)


def _put(address: str, tx: Transaction) -> int:
    return put(tx, address)


def play(data: Path, scene: Callable[[Worker], Awaitable[None]]) -> None:
    """Run a scene over a data directory of its own."""

    async def run() -> None:
        prepare_data(data)
        store = Store(data, SystemClock(), name="w0")
        try:
            await scene(Worker(store))
        finally:
            await store.close()

    asyncio.run(run())


def delivered(work: Work, *, doubtful: bool = False) -> Ended:
    judged = outcome.judge(
        work, [TAKEN] * len(work.recipients), now=work.item.created, settings=SETTINGS, chance=0.5
    )
    return Ended(work, judged, doubtful=doubtful)


def test_those_that_end_together_go_on_with_their_leases(tmp_path: Path) -> None:
    async def scene(worker: Worker) -> None:
        await worker.put(5)
        taken = await worker.take()
        settled = await asyncio.gather(*(worker.settler.settle(delivered(work)) for work in taken))
        following = [one.following for one in settled if one.following is not None]
        assert [len(one.done) for one in settled] == [1, 1, 1]
        assert worker.waiting() == len(following) == 2
        assert {work.lease_id for work in following} < {work.lease_id for work in taken}
        for work, one in zip(taken, settled, strict=True):
            assert one.following is None or one.following.lease_id == work.lease_id
        assert worker.database.read(lambda r: leases_of(r, "w0")) == {work.lease_id for work in following}

    play(tmp_path, scene)


def test_nothing_is_begun_by_who_is_leaving(tmp_path: Path) -> None:
    async def scene(worker: Worker) -> None:
        await worker.put(4)
        taken = await worker.take()
        worker.settler.stopping = True
        settled = await asyncio.gather(*(worker.settler.settle(delivered(work)) for work in taken))
        assert [one.following for one in settled] == [None] * 3
        assert worker.database.read(lambda r: leases_of(r, "w0")) == set()
        assert len(await worker.take()) == worker.waiting() == 1

    play(tmp_path, scene)


def test_a_bug_with_one_message_is_not_that_of_the_others(tmp_path: Path) -> None:
    async def scene(worker: Worker) -> None:
        await worker.put(2)
        first, second = await worker.take()
        broken = Ended(second, [Judged(second.recipients[0], None, outcome.End.DELIVERED)])  # type: ignore[arg-type]
        told = await asyncio.gather(
            worker.settler.settle(broken), worker.settler.settle(delivered(first)), return_exceptions=True
        )
        assert isinstance(told[0], AttributeError)
        assert not isinstance(told[1], BaseException)
        assert worker.waiting() == 1

    play(tmp_path, scene)


def test_what_a_commit_in_doubt_has_leased_is_not_lost(tmp_path: Path) -> None:
    """The first time stands although its worker was told otherwise: its lease holds the next message."""

    async def scene(worker: Worker) -> None:
        await worker.put(2)
        (work,) = await worker.take(1)
        unheard = (await worker.settler.settle(delivered(work))).following
        assert unheard is not None
        settled = await worker.settler.settle(delivered(work, doubtful=True))
        assert settled.following is not None
        assert settled.following.item.id == unheard.item.id
        assert worker.waiting() == 1
        held = worker.database.read(
            lambda r: r.value("SELECT count(*) FROM queue_recipient WHERE lease_id IS NOT NULL")
        )
        assert (held, worker.database.read(lambda r: leases_of(r, "w0"))) == (1, {settled.following.lease_id})

    play(tmp_path, scene)


@pytest.mark.parametrize("order", [1, -1])
def test_who_comes_when_the_group_is_closed_is_in_the_next(tmp_path: Path, order: int) -> None:
    async def scene(worker: Worker) -> None:
        await worker.put(3)
        taken = (await worker.take())[::order]
        tasks = []
        for work in taken:
            tasks.append(asyncio.create_task(worker.settler.settle(delivered(work))))
            for _ in range(3):
                await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        assert worker.waiting() == 0
        assert worker.database.read(lambda r: leases_of(r, "w0")) == set()

    play(tmp_path, scene)
