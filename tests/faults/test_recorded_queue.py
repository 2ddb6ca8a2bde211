"""Power cuts on paper under the queue: what was accepted waits, is out, or came back once (A2, A8)."""

import asyncio
import random
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from postroad.db import checkpoint
from postroad.db.offline import prepare_data
from postroad.db.transaction import Transaction
from postroad.net.clock import SystemClock
from postroad.queue import leases, outcome
from postroad.queue.claims import Claims
from postroad.queue.item import Work
from postroad.queue.verbs import list_queue
from postroad.smtp.outcome import Verdict
from postroad.store.check import check
from postroad.store.store import Store
from tests.faults.recording_disk import Recording, recorded
from tests.faults.steps import LATER, NEVER, SETTINGS, TAKEN, Original
from tests.faults.test_queue_kill import bounced, fill
from tests.unit.queue.queued import put

ENDS: Final = {"user": TAKEN, "slow": LATER, "nobody": NEVER}
"""What becomes of a recipient, by the first part of its name."""
AT_ONCE: Final = 6
NEVER_YET: Final = 10**9


@dataclass(slots=True)
class Promise:
    """At which event something was said of a message."""

    accepted: int = NEVER_YET
    handed_over: int = NEVER_YET
    """From here on the other side may have it."""
    settled: int = NEVER_YET


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is soon brought in, so that cuts fall there too."""
    monkeypatch.setattr(checkpoint, "CHECKPOINT_PAGES", 60)


async def accept(
    store: Store, recording: Recording, promise: Promise, name: str, claims: Claims | None
) -> None:
    await store.database.write(lambda tx: put(tx, name, claims=claims))
    promise.accepted = len(recording.events)


async def settle(store: Store, recording: Recording, promises: dict[str, Promise], work: Work) -> None:
    """Attempt a piece of work, and write down what came of it."""
    (recipient,) = work.recipients
    promise = promises[str(recipient.address)]
    result, now = ENDS[recipient.address.local.rstrip("0123456789")], SystemClock().now()
    if result.verdict is Verdict.DELIVERED:
        promise.handed_over = len(recording.events)
    judged = outcome.judge(work, [result], now=now, settings=SETTINGS, chance=0.5)
    notices = outcome.notices(work, judged, Original(), hostname="mx.here.test", now=now, settings=SETTINGS)

    def write(tx: Transaction) -> None:
        outcome.apply(tx, work, judged, notices)
        leases.drop_leases(tx, [work.lease_id])
        leases.touch(tx, work.destination, SETTINGS, ailing=outcome.ailing(judged))

    await store.database.write(write)
    promise.settled = len(recording.events)


async def relay(recording: Recording, rounds: int) -> dict[str, Promise]:
    """Accept some messages at a time, attempt them all, and again; every other time they go on at once."""
    promises: dict[str, Promise] = {}
    begun: list[Work] = []
    claims = Claims("w0-1", lambda: SETTINGS, lambda: AT_ONCE, begun.append)
    claims.open = True
    store = Store(recording.folder, SystemClock(), name="w0")
    lease = partial(leases.lease, worker="w0-1", settings=SETTINGS, room=100, working=())
    try:
        for number in range(rounds):
            names = [f"{list(ENDS)[n % len(ENDS)]}{number * AT_ONCE + n}@d{n}.test" for n in range(AT_ONCE)]
            promises |= {name: Promise() for name in names}
            going_on = claims if number % 2 else None
            await asyncio.gather(
                *(accept(store, recording, promises[name], name, going_on) for name in names)
            )
            if going_on is None:
                taken = await store.database.write(lease)
            else:
                taken, begun[:] = list(begun), []
            assert len(taken) == AT_ONCE
            await asyncio.gather(*(settle(store, recording, promises, work) for work in taken))
    finally:
        await store.close()
    return promises


async def look(data: Path, promises: dict[str, Promise], at: int) -> None:
    """Compare what a cut at an event has left with what had been promised by then."""
    prepare_data(data)
    store = Store(data, SystemClock(), name="w0")
    try:
        assert store.database.read(lambda reader: list(check(reader, store.packs))) == []
        queued = store.database.read(list_queue)
    finally:
        await store.close()
    waiting = [str(recipient.address) for one in queued for recipient in one.recipients]
    told = bounced(data)
    assert len(waiting) == len(set(waiting)), "queued twice"
    assert {*waiting, *told} <= promises.keys(), "nobody sent that"
    assert all(times == 1 for times in told.values()), "two notices about one recipient"
    for name, promise in promises.items():
        waits = name in waiting
        assert not (waits and told[name]), f"{name}: waits, and its sender was told that it failed"
        if promise.accepted <= at:
            assert waits or told[name] or promise.handed_over <= at, f"{name} is lost"
        if promise.settled <= at:
            assert waits == name.startswith("slow"), f"{name}: what had been settled is not"
            assert told[name] == name.startswith("nobody"), f"{name}: a notice is missing"


def cut_anywhere(folder: Path, rounds: int, cuts: int, seed: int, deaf: str = "\0") -> None:
    """Relay, and look at what so many cuts would leave."""
    data, chance = folder / "data", random.Random(seed)
    fill(data, 0)
    with recorded(data, deaf) as recording:
        promises = asyncio.run(relay(recording, rounds))
    for _ in range(cuts):
        at, left = chance.randrange(len(recording.events) + 1), folder / "left"
        recording.after_cut(at, left, chance)
        asyncio.run(look(left, promises, at))
        shutil.rmtree(left)
    print(
        f"\n{cuts} cuts in {len(recording.events)} writes and syncs, {len(promises)} messages:"
        " none lost, none settled anew, one notice for each that failed"
    )


def test_cuts_anywhere(tmp_path: Path) -> None:
    cut_anywhere(tmp_path, rounds=5, cuts=40, seed=1)


@pytest.mark.parametrize("deaf", [".pack", "-wal"])
def test_a_sync_that_is_left_out_is_noticed(tmp_path: Path, deaf: str) -> None:
    with pytest.raises(AssertionError):
        cut_anywhere(tmp_path, rounds=5, cuts=60, seed=2, deaf=deaf)


@pytest.mark.soak
def test_five_hundred_cuts_anywhere(tmp_path: Path) -> None:
    cut_anywhere(tmp_path, rounds=10, cuts=500, seed=3)
