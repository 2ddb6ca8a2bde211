"""Workers that are killed while they relay: nothing is lost, and twice is rare (SAFETY: A8)."""

import asyncio
import random
import re
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from postroad.db.offline import prepare_data
from postroad.db.transaction import Reader
from postroad.directory.accounts import add_account
from postroad.directory.domains import add_domain
from postroad.queue.spool import depth
from postroad.queue.verbs import list_queue
from postroad.store.blobs.reader import PackReader
from postroad.store.offline import open_offline
from postroad.testing.remote import Drop, Hang, RemoteServer
from tests.faults.queue_worker import REMOTE, recipient
from tests.unit.queue.queued import ADA, put

_FAILED = re.compile(rb"^Final-Recipient: rfc822; ?(nobody\d+@d\d\.test)\r$", re.MULTILINE)


class Worker:
    """A worker process that can be struck dead and started again."""

    def __init__(self, data: Path, port: int, name: str, *numbers: int) -> None:
        """`numbers`: the first of the messages that it takes itself, and how many there are."""
        self._command = [
            sys.executable,
            "-m",
            "tests.faults.queue_worker",
            str(data),
            str(port),
            str(time.time()),
            *(name, *map(str, numbers)),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin, or take the place of the one that was killed."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        """SIGKILL: it has no say in it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()


def fill(data: Path, messages: int) -> None:
    """An account to send, and its messages in the queue."""
    prepare_data(data)
    with open_offline(data) as database:
        database.write(lambda tx: add_domain(tx, "here.test", who="test"))
        database.write(lambda tx: add_account(tx, ADA, who="test"))
        for n in range(messages):
            database.write(lambda tx: put(tx, recipient(n)))  # noqa: B023 - called at once


def taken(reader: Reader) -> int:
    """How many messages have been taken."""
    count: int = reader.value("SELECT count(*) FROM trail_key WHERE key LIKE '%@d_.test'")
    return count


async def until_empty(data: Path, messages: int) -> None:
    """Wait until all messages were taken and nothing is left in the queue."""
    with open_offline(data) as database:
        async with asyncio.timeout(120):
            while database.read(taken) < messages or database.read(depth):
                await asyncio.sleep(0.05)
        assert database.read(list_queue) == []
        assert database.read(lambda r: r.rows("SELECT * FROM queue_lease")) == []


def bounced(data: Path) -> Counter[str]:
    """How often a notice came to the sender's INBOX for each recipient."""
    with open_offline(data) as database, closing(PackReader(data / "packs")) as packs:
        blobs = database.read(
            lambda r: r.rows(
                "SELECT b.pack, b.offset, b.length FROM message m JOIN blob b ON b.id = m.blob_id"
            )
        )
        texts = [packs.read(*blob) for blob in blobs]
    return Counter(found.decode() for text in texts for found in _FAILED.findall(text))


async def relay_and_strike(data: Path, messages: int, strikes: int, *, taking: bool = False) -> None:
    """Relay all of it, kill a worker so often, and let the other side die twice.

    `taking`: the workers take the messages meanwhile, and go on with them at once.
    """
    chance, exposed = random.Random(8), 0
    async with RemoteServer("mx.remote.test", REMOTE) as remote:
        remote.answer("RCPT", "550 5.1.1 no such user", to="nobody")
        # The sink is a rude one: it puts off, drops before and behind the dot, says nothing, and hangs up.
        remote.answer("MAIL", "451 4.3.0 later", Hang(), times=10)
        remote.answer(
            *("END", Drop(), "451 4.3.0 later", "250 2.0.0 taken", Drop(b"250 2."), Hang()), times=5
        )
        workers = [
            Worker(data, remote.port, name, *((first, messages) if taking else ()))
            for first, name in enumerate(("a", "b"))
        ]
        try:
            for worker in workers:
                worker.start()
            for strike in range(strikes):
                wanted = len(remote.messages) + chance.randrange(1, messages * 3 // (2 * strikes))
                await remote.until_taken(min(wanted, messages * 8 // 10))
                await asyncio.sleep(chance.uniform(0, 0.2))  # any moment of what it does
                victim = workers[strike % 2]
                exposed += remote.open
                victim.kill()
                victim.start()
                if strike in (strikes // 3, strikes * 2 // 3):
                    exposed += remote.open
                    await remote.stop()
                    await remote.start()
            await until_empty(data, messages)
        finally:
            for worker in workers:
                worker.kill()
    got = Counter(address for taken in remote.messages for address in taken.recipients)
    wanted_all = {recipient(n) for n in range(messages) if n % 10}
    assert set(got) == wanted_all, "none is lost, none is made up"
    twice = sum(got.values()) - len(wanted_all)
    assert twice <= exposed, "twice without need: at most once for each connection at each strike"
    assert bounced(data) == Counter(recipient(n) for n in range(0, messages, 10)), "one notice for each"
    print(
        f"\n{messages} messages, {strikes} strikes with {exposed} connections open; 0 lost, {twice} twice,"
        f" one notice for each of {messages // 10} failed recipients"
    )


def test_messages_survive_workers_that_are_killed(tmp_path: Path) -> None:
    fill(tmp_path / "data", 300)
    asyncio.run(relay_and_strike(tmp_path / "data", 300, 8))


def test_new_messages_survive_workers_that_are_killed(tmp_path: Path) -> None:
    fill(tmp_path / "data", 0)
    asyncio.run(relay_and_strike(tmp_path / "data", 300, 8, taking=True))


@pytest.mark.soak
def test_two_thousand_messages_survive_forty_strikes(tmp_path: Path) -> None:
    fill(tmp_path / "data", 2000)
    asyncio.run(relay_and_strike(tmp_path / "data", 2000, 40))


@pytest.mark.soak
def test_two_thousand_new_messages_survive_forty_strikes(tmp_path: Path) -> None:
    fill(tmp_path / "data", 0)
    asyncio.run(relay_and_strike(tmp_path / "data", 2000, 40, taking=True))
