"""A process that works the queue of a data directory and nothing else, in quick time; it waits to be killed.

python -m tests.faults.queue_worker DATA PORT START NAME [FIRST COUNT]

With FIRST and COUNT it also takes messages, every other one from FIRST on, that it has not taken before.
"""

import asyncio
import sys
import time
from functools import partial
from pathlib import Path
from typing import Final

from postroad.config.settings import Queue
from postroad.db.transaction import Transaction
from postroad.delivery.outside import Outside
from postroad.delivery.remote import RemoteDelivery
from postroad.dns.zone import ZoneResolver
from postroad.queue.claims import Claims
from postroad.queue.runner import QueueRunner
from postroad.smtp.timeouts import Timeouts
from postroad.store.store import Store
from tests.unit.queue.queued import put

HASTE: Final = 60.0
"""Seconds of the queue's time in one of ours."""
HOSTNAME: Final = "mx.here.test"
REMOTE: Final = "127.0.0.1"


class QuickClock:
    """The same time in all processes of this machine, and it flies."""

    def __init__(self, start: float) -> None:
        self._start = start

    def now(self) -> float:
        return self._start + (time.time() - self._start) * HASTE

    def monotonic(self) -> float:
        return time.monotonic() * HASTE

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / HASTE)


def domains() -> ZoneResolver:
    """Everything at remote.test and below leads to the one scripted server."""
    resolver = ZoneResolver()
    resolver.add_address("mx.remote.test", REMOTE)
    for n in range(5):
        resolver.add_mx(f"d{n}.test", "mx.remote.test")
    return resolver


def recipient(n: int) -> str:
    """Every tenth does not exist."""
    return f"{'nobody' if n % 10 == 0 else 'user'}{n}@d{n % 5}.test"


def take_once(tx: Transaction, n: int, claims: Claims) -> None:
    """Take a message, unless it was taken before this worker was killed: its trail tells."""
    if tx.row("SELECT 1 FROM trail_key WHERE key = ?", recipient(n)) is None:
        put(tx, recipient(n), claims=claims)


async def take_all(store: Store, numbers: range, claims: Claims) -> None:
    """Take messages, a few at a time."""
    for start in range(0, len(numbers), 4):
        some = numbers[start : start + 4]
        await asyncio.gather(*(store.database.write(partial(take_once, n=n, claims=claims)) for n in some))
        await asyncio.sleep(0.01)


async def work(data: Path, port: int, start: float, name: str, numbers: range) -> None:
    """Run until killed."""
    clock, settings = QuickClock(start), Queue(allow_private_addresses=True)
    store = Store(data, clock, name=name)
    remote = RemoteDelivery(
        resolver=domains(),
        clock=clock,
        settings=settings,
        hostname=HOSTNAME,
        outside=Outside(port=lambda _: port, timeouts=Timeouts(greeting=2, command=2, data=2, end=2)),
    )
    runner = QueueRunner(
        store=store,
        clock=clock,
        settings=settings,
        hostname=HOSTNAME,
        worker=name,
        delivery=remote,
    )
    await runner.start()
    await take_all(store, numbers, runner.claims)
    await asyncio.Event().wait()


if __name__ == "__main__":
    own = range(int(sys.argv[5]), int(sys.argv[6]), 2) if sys.argv[5:] else range(0)
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4], own))
