"""`make reliability-peers`: the same strikes against postroad and against Postfix + Dovecot, as root.

python -m tests.faults.compare [--strikes N] [--cuts N] [--rounds N] [--only NAME]

Each server takes mail at port 25's stand-in and by APPEND, for one account;
then everything is killed, or the disk loses its power, or is full. What was
answered with 250 or OK before that is looked for by IMAP, once all queues are
empty. Only damage ends it; all else that comes of it is printed.
"""

import argparse
import asyncio
import random
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from tests.faults.contestants import NAMES, Contestant, contestant
from tests.faults.fill import fill_and_free
from tests.faults.load import Book, append, deliver, under_load
from tests.faults.power import Disk, own_mounts
from tests.faults.reading import inside
from tests.interop.certificates import Certificates, make_certificates
from tests.interop.processes import program, run

MESSAGES: Final = 50
"""About so many come in from strike to strike."""
MEGABYTES: Final = 1024


@dataclass(slots=True)
class Score:
    """What came of one server in one trial."""

    book: Book = field(default_factory=Book)
    restarts: list[float] = field(default_factory=list)
    late: int = 0
    """Messages that are not there and were acknowledged when the disk was going already."""

    def count(self, server: Contestant) -> str:
        """Read everything back and say what is wrong with it."""
        server.settle()
        before, _ = self._compare(server)
        server.mend()
        lost, twice = self._compare(server)
        return (
            f"{len(self.book.taken)} acknowledged, {lost} lost"
            + (f" ({before} before it was mended)" if before != lost else "")
            + f", {twice} twice"
            + (f", {self.late} lost that were acknowledged while the disk was going" if self.late else "")
            + (f"; restart {self._times()}" if self.restarts else "")
        )

    def _times(self) -> str:
        return f"median {statistics.median(self.restarts):.2f} s, worst {max(self.restarts):.2f} s"

    def _compare(self, server: Contestant) -> tuple[int, int]:
        found = inside(server, self.book, server.login, bodies=True, mailboxes=("INBOX",))
        count = Counter(found.values())
        return len(self.book.taken - count.keys()), sum(times > 1 for times in count.values())


class Trial:
    """One server under a load."""

    def __init__(self, server: Contestant, seed: int) -> None:
        self._server = server
        self._chance = random.Random(seed)
        self.score = Score()

    def strike(self, disk: Disk | None) -> None:
        """Load it; kill everything, or cut the power first where there is a `disk`; start it again."""
        server, book = self._server, self.score.book
        moment = float("inf")

        async def strike() -> None:
            nonlocal moment
            wanted = len(book.taken) + self._chance.randrange(1, 2 * MESSAGES)
            give_up = time.monotonic() + 20
            while len(book.taken) < wanted and time.monotonic() < give_up:
                await asyncio.sleep(0.005)
            if disk is not None:
                moment = disk.cut()
                await asyncio.sleep(self._chance.uniform(0, 0.1))
            server.strike()

        login = server.login
        load = [
            *(partial(deliver, server, book, login) for _ in range(5)),
            *(partial(append, server, book, login) for _ in range(2)),
        ]
        asyncio.run(under_load(load, strike))
        late = book.forget_since(moment)
        if disk is not None:
            disk.unmount()
            disk.mend()
            disk.mount()
        began = time.monotonic()
        server.start()
        self.score.restarts.append(time.monotonic() - began)
        if late:
            server.settle()
            self.score.late += len(late.keys() - set(self._names()))

    def _names(self) -> Sequence[str]:
        found = inside(self._server, self.score.book, self._server.login, mailboxes=("INBOX",))
        return list(found.values())


@contextmanager
def running(name: str, certificates: Certificates, disk: Disk) -> Iterator[Contestant]:
    """One server, everything of it on a disk of its own."""
    disk.mount()
    disk.folder.chmod(0o755)
    try:
        server = contestant(name, disk.folder, certificates)
        run(program("sync"), "-f", disk.folder)  # its settings and accounts have been there for long
        server.start()
        try:
            yield server
        finally:
            server.end()
    finally:
        disk.unmount()


def tried(server: Contestant, disk: Disk, what: str, times: int) -> str:
    """Try one server so often, and say what came of it."""
    trial = Trial(server, seed=times)
    if what == "disk full":
        answers = fill_and_free(server, disk.folder, trial.score.book, times)
        return f"{trial.score.count(server)}; {answers}"
    for _ in range(times):
        trial.strike(disk if what == "power cut" else None)
    return trial.score.count(server)


def main() -> None:
    """Run the trials and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--strikes", type=int, default=50, help="kill -9 of everything")
    parser.add_argument("--cuts", type=int, default=50, help="power cuts")
    parser.add_argument("--rounds", type=int, default=20, help="a disk that is filled and freed")
    parser.add_argument("--only", choices=list(NAMES), action="append", help="not all servers")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="postroad-reliability-"))
    directory.chmod(0o755)
    try:
        with own_mounts():
            certificates = make_certificates(directory, "localhost", "127.0.0.1")
            for name in options.only or NAMES:
                for what, times in (
                    ("kill -9", options.strikes),
                    ("power cut", options.cuts),
                    ("disk full", options.rounds),
                ):
                    disk = Disk(directory / f"{name}-{what.split()[0]}", megabytes=MEGABYTES)
                    if times:
                        with running(name, certificates, disk) as server:
                            print(
                                f"{NAMES[name]}: {times} x {what}: {tried(server, disk, what, times)}",
                                flush=True,
                            )
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
