"""A long mixed load in which every hundredth thing goes wrong: memory and descriptors stay (SAFETY: A18).

SOAK_MINUTES says how long; the full size is 480.
"""

import asyncio
import contextlib
import imaplib
import os
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from postroad.store.blobs.reader import OPEN_PACKS
from tests.faults.conftest import Start
from tests.faults.crash import BOB, UNLIMITED, Crashes, Work
from tests.faults.load import ADA, GONE, Refused
from tests.faults.outbound import Sink
from tests.faults.reading import MAILBOXES
from tests.faults.server import Server
from tests.interop.postroad_server import PASSWORD
from tests.interop.processes import until

MINUTES: Final = float(os.environ.get("SOAK_MINUTES", "10"))
ROUND_SECONDS: Final = 20.0
LIFE_SECONDS: Final = 3.0
"""How long a client works on average, a hundred commands or more, before it vanishes in the middle of one."""
WARM: Final = 0.3
"""Part of the time after which memory should no longer grow."""
MIB: Final = 1024 * 1024


@dataclass(slots=True)
class Samples:
    """Memory and descriptors of all processes of a server, at rest, over time.

    Packs become more while it runs, and each worker keeps some of them open: they count by themselves.
    """

    at: list[float] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    packs: list[int] = field(default_factory=list)
    """Most that one process has open."""

    def take(self, server: Server) -> None:
        """Look now."""
        pids = [server.pid, *server.workers()]
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
        self.at.append(time.monotonic())
        self.rss.append(sum(pages) * os.sysconf("SC_PAGE_SIZE"))
        opened = [_opened(pid) for pid in pids]
        packs = [sum(path.endswith(".pack") for path in paths) for paths in opened]
        self.descriptors.append(sum(map(len, opened)) - sum(packs))
        self.packs.append(max(packs))

    def slope(self) -> float:
        """MiB an hour, by least squares, once it is warm."""
        first = int(len(self.at) * WARM)
        hours = [(at - self.at[0]) / 3600 for at in self.at[first:]]
        sizes = [octets / MIB for octets in self.rss[first:]]
        middle, level = sum(hours) / len(hours), sum(sizes) / len(sizes)
        spread = sum((hour - middle) ** 2 for hour in hours)
        return sum((h - middle) * (s - level) for h, s in zip(hours, sizes, strict=True)) / spread


def _opened(pid: int) -> list[str]:
    """Where the descriptors of a process lead."""
    paths = []
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            paths.append(os.readlink(entry.path))
    return paths


async def vanish(work: Work, until_when: float, chance: random.Random) -> None:
    """Do some work again and again, and each time be gone in the middle of it."""
    while time.monotonic() < until_when:
        task = asyncio.ensure_future(work())
        await asyncio.wait([task], timeout=min(chance.expovariate(1 / LIFE_SECONDS), ROUND_SECONDS))
        task.cancel()
        (end,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(end, BaseException) and not isinstance(end, (*GONE, Refused, asyncio.CancelledError)):
            raise end


async def one_round(crashes: Crashes, chance: random.Random) -> None:
    """Everybody works for a while."""
    over = time.monotonic() + ROUND_SECONDS
    await asyncio.gather(*(vanish(work, over, chance) for work in crashes.load()))


def empty(server: Server, login: str) -> None:
    """Remove all messages, so that a later round is like an earlier one."""
    with imaplib.IMAP4_SSL("localhost", server.ports.imaps, ssl_context=server.tls_context()) as client:
        client.login(login, PASSWORD)
        for mailbox in MAILBOXES:
            client.select(mailbox)
            client.uid("STORE", "1:*", "+FLAGS.SILENT", "\\Deleted")
            client.expunge()


@pytest.mark.soak
def test_memory_and_descriptors_stay(start: Start) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can open port 25, where mail goes")
    with Sink() as sink:
        crashes = Crashes(start(more=UNLIMITED), sink, changers=0)
        samples, chance = Samples(), random.Random(18)
        server, workers, messages = crashes.server, crashes.server.workers(), 0
        over = time.monotonic() + MINUTES * 60
        while time.monotonic() < over:
            asyncio.run(one_round(crashes, chance))
            crashes.look()
            messages += len(crashes.book.taken)
            for login in (ADA, BOB):
                empty(server, login)
            crashes.forget()
            until(
                lambda: server.cli("queue", "list", "--json").strip() in ("[]", ""), "the queue to be empty"
            )
            samples.take(server)
        print(
            f"\n{MINUTES:g} minutes, {messages} messages in, {len(crashes.out.taken)} out;"
            f" memory {samples.rss[0] / MIB:.0f} to {samples.rss[-1] / MIB:.0f} MiB,"
            f" {samples.slope():.1f} MiB an hour after the first {WARM:.0%};"
            f" descriptors {samples.descriptors[0]} to {samples.descriptors[-1]},"
            f" and for packs of one process at most {max(samples.packs)}",
            flush=True,
        )
        assert server.workers() == workers
        crashes.look_at_all()
    assert samples.descriptors[-1] <= samples.descriptors[0] + 8
    assert max(samples.packs) <= OPEN_PACKS + 2  # those that are written to come beside those that are read
    if MINUTES >= 120:
        assert samples.slope() < 1.0, "memory grows"
    server.stop()
