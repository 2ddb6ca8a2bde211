"""Workers that are killed while they relay: nothing is lost, and twice is rare (SAFETY: A8)."""

import asyncio
import itertools
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from postroad.db.offline import prepare_data
from postroad.directory.accounts import add_account
from postroad.directory.domains import add_domain
from postroad.queue.spool import depth
from postroad.queue.verbs import list_queue
from postroad.store.offline import open_offline
from postroad.testing.remote import Drop, RemoteServer
from tests.faults.queue_worker import REMOTE
from tests.unit.queue.queued import ADA, put

MESSAGES = 200
STRIKES = 8
AT_A_DESTINATION = 20 * 5
"""Deliveries that may be under way: connections to a destination, and destinations."""


class Worker:
    """A worker process that can be struck dead and started again."""

    def __init__(self, data: Path, port: int) -> None:
        self._command = [
            sys.executable,
            "-m",
            "tests.faults.queue_worker",
            str(data),
            str(port),
            str(time.time()),
        ]
        self._numbers = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin anew, as another worker."""
        self._process = subprocess.Popen(
            [*self._command, f"w{next(self._numbers)}"], stdout=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """SIGKILL: it has no say in it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()


def recipient(n: int) -> str:
    """Every tenth does not exist."""
    return f"{'nobody' if n % 10 == 0 else 'user'}{n}@d{n % 5}.test"


def fill(data: Path) -> None:
    """An account to send, and its messages in the queue."""
    prepare_data(data)
    with open_offline(data) as database:
        database.write(lambda tx: add_domain(tx, "here.test", who="test"))
        database.write(lambda tx: add_account(tx, ADA, who="test"))
        for n in range(MESSAGES):
            database.write(lambda tx: put(tx, recipient(n)))  # noqa: B023 - called at once


async def until_empty(data: Path) -> None:
    """Wait until nothing is left in the queue."""
    with open_offline(data) as database:
        async with asyncio.timeout(120):
            while database.read(depth):
                await asyncio.sleep(0.05)
        assert database.read(list_queue) == []


def bounced(data: Path) -> Counter[str]:
    """How often the sender was told of each recipient."""
    with open_offline(data) as database:
        trails = database.read(lambda r: r.rows("SELECT notes FROM trail_note"))
    return Counter(
        f"nobody{n}"
        for (notes,) in trails
        for n in range(0, MESSAGES, 10)
        if b'"notice"' in notes and f"nobody{n}@".encode() in notes
    )


def test_messages_survive_workers_that_are_killed(tmp_path: Path) -> None:
    data, chance = tmp_path / "data", random.Random(8)
    fill(data)

    async def run() -> RemoteServer:
        async with RemoteServer("mx.remote.test", REMOTE) as remote:
            remote.answer("RCPT", "550 5.1.1 no such user", to="nobody")
            # The sink is a rude one: it puts off, drops before and behind the dot, and hangs up.
            remote.answer("MAIL", "451 4.3.0 later", times=10)
            remote.answer("END", Drop(), "451 4.3.0 later", "250 2.0.0 taken", Drop(b"250 2."), times=5)
            workers = [Worker(data, remote.port) for _ in range(2)]
            try:
                for worker in workers:
                    worker.start()
                for strike in range(STRIKES):
                    taken = len(remote.messages)
                    await remote.until_taken(min(taken + chance.randrange(1, 15), MESSAGES * 9 // 10))
                    victim = workers[strike % 2]
                    victim.kill()
                    victim.start()
                await until_empty(data)
            finally:
                for worker in workers:
                    worker.kill()
            return remote

    remote = asyncio.run(run())
    got = Counter(address for taken in remote.messages for address in taken.recipients)
    wanted = {recipient(n) for n in range(MESSAGES) if n % 10}
    assert set(got) == wanted, "none is lost, none is made up"
    assert sum(got.values()) - len(wanted) <= STRIKES * AT_A_DESTINATION
    assert bounced(data) == Counter(f"nobody{n}" for n in range(0, MESSAGES, 10)), "one notice for each"
