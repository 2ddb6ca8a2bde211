"""Power cuts on paper: what is left at any write or sync holds all that was acknowledged before it (A2).

Unlike a real disk this one can be cut thousands of times, anywhere, and keeps
of what was not synced nothing, all, or any part.
"""

import asyncio
import hashlib
import random
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from postroad.db import checkpoint
from postroad.db.offline import prepare_data
from postroad.directory.accounts import add_account
from postroad.directory.domains import add_domain
from postroad.model.flags import Flag
from postroad.net.clock import SystemClock
from postroad.store.account import EVERYTHING, Account
from postroad.store.blobs.pack import ActivePack
from postroad.store.check import check
from postroad.store.offline import open_offline
from postroad.store.store import Store
from postroad.store.types import NewMessage
from tests.faults.recording_disk import Recording, recorded

FILED, FLAGGED, MOVED = 1, 2, 3
USERS = 6
MESSAGES = 6


@dataclass(slots=True)
class Promise:
    """What was acknowledged of one message, and at which event."""

    digest: bytes
    steps: list[int] = field(default_factory=list)

    def by(self, event: int) -> int:
        """How far it had come for certain."""
        return sum(at <= event for at in self.steps)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packs that are soon full, and a log that is soon brought in, so that cuts fall there too."""
    monkeypatch.setattr(checkpoint, "CHECKPOINT_PAGES", 60)
    monkeypatch.setitem(ActivePack.__init__.__kwdefaults__ or {}, "size", 200_000)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with one account."""
    data = tmp_path / "0"
    prepare_data(data)
    with open_offline(data) as database:
        database.write(lambda tx: add_domain(tx, "demo.test", who="test"))
        database.write(lambda tx: add_account(tx, "ada@demo.test", who="test"))
    return data


async def user(account: Account, recording: Recording, promises: dict[str, Promise], name: str) -> None:
    """File messages, flag each, move each, and note the event at which each step was acknowledged."""
    chance = random.Random(name)
    inbox, archive = account.mailbox("INBOX"), account.mailbox("Archive")
    assert inbox is not None
    assert archive is not None
    for n in range(MESSAGES):
        subject = f"{name}-{n}"
        octets = f"Subject: {subject}\r\n\r\n".encode() + chance.randbytes(chance.choice((100, 3000, 40_000)))
        promise = promises[subject] = Promise(hashlib.sha256(octets).digest())
        _, (uid,) = await account.append(inbox.id, [NewMessage(octets)])
        promise.steps.append(len(recording.events))
        await account.store_flags(inbox.id, [(uid, uid)], "add", Flag.FLAGGED, frozenset())
        promise.steps.append(len(recording.events))
        await account.move(inbox.id, [(uid, uid)], archive.id)
        promise.steps.append(len(recording.events))


async def work(recording: Recording, name: str) -> dict[str, Promise]:
    """Two workers, some users at each."""
    promises: dict[str, Promise] = {}
    stores = [Store(recording.folder, SystemClock(), name=f"w{n}") for n in range(2)]
    try:
        await asyncio.gather(
            *(user(stores[n % 2].account(1), recording, promises, f"{name}-{n}") for n in range(USERS))
        )
    finally:
        for store in stores:
            await store.close()
    return promises


async def look(data: Path, promises: dict[str, tuple[Promise, int]]) -> None:
    """Open what is left, and compare it with what was promised: a promise, and how far it binds."""
    prepare_data(data)
    store = Store(data, SystemClock(), name="w0")
    try:
        assert store.database.read(lambda reader: list(check(reader, store.packs))) == []
        account = store.account(1)
        there: dict[bytes, int] = {}
        count: Counter[bytes] = Counter()
        for box in account.mailboxes():
            for entry in account.entries(box.id, EVERYTHING):
                stored = account.open(entry.message_id)
                digest = hashlib.sha256(stored.read(0, stored.size)).digest()
                count[digest] += 1
                flagged = FLAGGED if entry.flags & Flag.FLAGGED else FILED
                there[digest] = MOVED if box.name == "Archive" else flagged
        for subject, (promise, step) in promises.items():
            assert there.get(promise.digest, 0) >= step, f"{subject}: step {step} was acknowledged"
        assert all(times == 1 for times in count.values()), "a message is there twice"
        known = {promise.digest for promise, _ in promises.values()}
        assert there.keys() <= known, "nobody sent that"
    finally:
        await store.close()


def cut_again_and_again(data: Path, rounds: int, cuts: int, seed: int, deaf: str = "\0") -> None:
    """In each round work, look at what so many cuts would leave, and go on with one of them."""
    chance = random.Random(seed)
    promised: dict[str, tuple[Promise, int]] = {}
    events = 0
    for number in range(1, rounds + 1):
        with recorded(data, deaf) as recording:
            made = asyncio.run(work(recording, f"{seed}-{number}"))
        events += len(recording.events)
        assert any(path.name.endswith(".pack") for path in recording.names)
        for n in range(cuts):
            at = chance.randrange(len(recording.events) + 1)
            left = data.with_name(f"{number}-{n}")
            recording.after_cut(at, left, chance)
            binding = promised | {name: (promise, promise.by(at)) for name, promise in made.items()}
            asyncio.run(look(left, binding))
            if n < cuts - 1:
                shutil.rmtree(left)
        shutil.rmtree(data)
        data, promised = left, binding
    print(f"\n{rounds * cuts} cuts in {events} writes and syncs, {len(promised)} messages")


def test_cuts_anywhere(data: Path) -> None:
    cut_again_and_again(data, rounds=4, cuts=25, seed=1)


@pytest.mark.parametrize("deaf", [".pack", "-wal"])
def test_a_sync_that_is_left_out_is_noticed(data: Path, deaf: str) -> None:
    """What this test is worth: without one of the two syncs of a group, mail is lost here."""
    with pytest.raises(AssertionError):
        cut_again_and_again(data, rounds=2, cuts=40, seed=2, deaf=deaf)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10, 20))
def test_a_thousand_cuts_anywhere(data: Path, seed: int) -> None:
    cut_again_and_again(data, rounds=10, cuts=100, seed=seed)
