"""A process that works the queue of a data directory and nothing else, in quick time; it waits to be killed.

python -m tests.faults.queue_worker DATA PORT START NAME
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Final

from postroad.config.settings import Queue
from postroad.delivery.outside import Outside
from postroad.delivery.remote import RemoteDelivery
from postroad.dns.zone import ZoneResolver
from postroad.queue.runner import QueueRunner
from postroad.smtp.timeouts import Timeouts
from postroad.store.store import Store

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


async def work(data: Path, port: int, start: float, name: str) -> None:
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
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))
