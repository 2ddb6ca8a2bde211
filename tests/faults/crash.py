"""A server under everything at once, strike after strike, and what has to be true after each."""

import asyncio
import random
import sqlite3
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from tests.faults.changes import Changer
from tests.faults.load import ADA, Book, append, deliver, log_in, move, under_load
from tests.faults.outbound import Sink, submit
from tests.faults.reading import History, check, inside
from tests.faults.server import Server
from tests.interop.processes import until

BOB: Final = "bob@ours.test"
LARGE: Final = 700_000
"""Octets of a large message: it goes through a file on its way in."""
LONGEST: Final = 30.0
"""Seconds that a load goes on at the most before it is struck."""
CHECK_SECONDS: Final = 1800.0
"""What `store check` may take at the most: it reads all that was ever taken, gigabytes after a soak."""
UNLIMITED: Final = (
    "[limits]\nauth_per_minute_address = 100_000\nauth_per_day_address = 100_000\n"
    "auth_per_hour_account = 100_000\n"
)
"""A log-in counts as failed until it has succeeded, so those that were struck down would add up."""

_MODSEQS: Final = (
    "SELECT id, modseq FROM account",
    "SELECT account_id, id, modseq FROM mailbox",
    "SELECT account_id, mailbox_id, uid, modseq FROM entry",
)

Work = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Restarts:
    """How long it took from the start of the server to its being ready, by what was killed."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def start(self, server: Server, after: str) -> None:
        """Start it, by the clock."""
        began = time.monotonic()
        server.start()
        self.seconds.setdefault(after, []).append(time.monotonic() - began)

    def __str__(self) -> str:
        return "; ".join(
            f"{what}: {len(times)} restarts, median {statistics.median(times):.2f}, worst {max(times):.2f} s"
            for what, times in self.seconds.items()
        )


class Modseqs:
    """Every modseq that was ever seen in the store: none of them may go back."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, ...], int] = {}

    def look(self, data: Path) -> None:
        """Read them out of the store, which may be running."""
        with closing(sqlite3.connect(f"file:{data / 'index.db'}?mode=ro", uri=True, timeout=30)) as index:
            index.execute("BEGIN")
            now = {tuple(key): modseq for what in _MODSEQS for *key, modseq in index.execute(what)}
        back = [key for key in self._seen.keys() & now.keys() if now[key] < self._seen[key]]
        assert not back, f"modseqs went back: {back[:5]}"
        ahead = [key for key, modseq in now.items() if modseq > now[key[:1]]]
        assert not ahead, f"these are ahead of their account: {ahead[:5]}"
        self._seen = now


class Crashes:
    """One server, the load on it, and the books of all that it has answered for."""

    def __init__(
        self,
        server: Server,
        sink: Sink | None = None,
        *,
        seed: int = 1,
        messages: int = 50,
        changers: int = 2,
    ) -> None:
        """About so many `messages` come in from strike to strike; with a `sink` mail goes out, too."""
        self.server = server
        self.chance = random.Random(seed)
        self.book, self.history = Book(), History()
        self.bobs = History()
        self.out = Book()
        self.restarts = Restarts()
        self.modseqs = Modseqs()
        self.changers = [Changer(2 * seed + n) for n in range(changers)]
        self.messages = messages
        self._sink = sink
        self._heard = 0
        for changer in self.changers:
            asyncio.run(changer.prepare(server))

    def load(self) -> list[Work]:
        """Deliveries to one, to many, of large messages; APPEND, changes, moves, readers; mail out."""
        server, book = self.server, self.book
        out = [] if self._sink is None else [partial(submit, server, self.out, self._sink)]
        return [
            *(partial(deliver, server, book, ADA) for _ in range(3)),
            *(partial(deliver, server, book, ADA, BOB, kind="both") for _ in range(2)),
            partial(deliver, server, book, ADA, BOB, kind="both-large", size=LARGE),
            *(partial(append, server, book) for _ in range(2)),
            partial(move, server),
            *(partial(changer.work, server) for changer in self.changers),
            partial(read, server),
            *out,
        ]

    def during(self, then: Callable[[], Awaitable[None]]) -> None:
        """Load it, and do `then` in the middle of it."""
        asyncio.run(under_load(self.load(), then))

    def kill(self, pids: Sequence[int]) -> None:
        """Strike these processes under load, at any moment, and wait until the load is at its end."""

        async def strike() -> None:
            await self._any_moment()
            self.modseqs.look(self.server.directory / "data")
            self.server.kill_these(pids)
            if len(pids) == 1 and pids[0] != self.server.pid:
                # The other worker goes on serving; then it is told to end, or the load would not.
                await asyncio.sleep(self.chance.uniform(0.05, 0.3))
                self.server.end_workers()

        self.during(strike)

    def cut(self, cut: Callable[[], float]) -> float:
        """Cut the power under load, then kill what has lost its disk; give when the cut began."""
        moments: list[float] = []

        async def strike() -> None:
            await self._any_moment()
            self.modseqs.look(self.server.directory / "data")
            self.look_for_bugs()
            moments.append(cut())
            for changer in self.changers:
                changer.believe_nothing()
            # What the server answers now is noted, to see what such an answer is worth.
            await asyncio.sleep(self.chance.uniform(0.0, 0.2))
            self.server.strike()

        self.during(strike)
        # What a server says of a disk that is gone is not held against it.
        self._heard = len(self.server.log())
        return moments[0]

    async def _any_moment(self) -> None:
        """Let it work for a while: when the strike falls is what this is about."""
        wanted = len(self.book.taken) + self.chance.randrange(1, 2 * self.messages)
        give_up = time.monotonic() + LONGEST
        while len(self.book.taken) < wanted and time.monotonic() < give_up:
            await asyncio.sleep(0.005)
        await asyncio.sleep(self.chance.uniform(0.0, 0.02))

    def look_for_bugs(self) -> None:
        """What the server has called a bug of its own is one."""
        assert "Traceback" not in self.server.log()[self._heard :]

    def late(self, moment: float) -> dict[str, float]:
        """Take what was answered since then out of the books; give when each answer came."""
        return self.book.forget_since(moment) | self.out.forget_since(moment)

    def forget(self) -> None:
        """Begin new books for what comes in: all that was there has been removed.

        What nobody waits for an answer to may still be filed.
        """
        before = self.book
        on_its_way = before.sent.keys() - before.taken
        self.book = Book(
            sent={name: before.sent[name] for name in on_its_way},
            tries=Counter({name: before.tries[name] for name in on_its_way}),
            numbers=before.numbers,
        )

    def found(self) -> set[str]:
        """The subjects of all that is there."""
        return set(inside(self.server, self.book).values())

    def look(self, *, bodies: bool = False) -> None:
        """Hold what is there against the books."""
        check(self.server, self.book, self.history, bodies=bodies)
        check(self.server, self.book, self.bobs, BOB, bodies=bodies, kinds=("both", "both-large"))
        for changer in self.changers:
            asyncio.run(changer.compare(self.server))
        self.modseqs.look(self.server.directory / "data")

    def look_at_all(self) -> None:
        """The last look: every octet, the store as a whole, and what had to go out."""
        self.look(bodies=True)
        assert "sound" in self.server.cli("store", "check", within=CHECK_SECONDS)
        self.look_for_bugs()
        if self._sink is not None:
            self._look_outside(self._sink)

    def _look_outside(self, sink: Sink) -> None:
        self.server.cli("queue", "retry", "--all")
        until(
            lambda: self.server.cli("queue", "list", "--json").strip() in ("[]", ""), "the queue to be empty"
        )
        taken = sink.taken()
        lost = self.out.taken - taken.keys()
        assert not lost, f"{len(lost)} of {len(self.out.taken)} messages never went out: {sorted(lost)[:5]}"
        assert taken.keys() <= self.out.sent.keys(), "nobody submitted this"


async def read(server: Server) -> None:
    """Read what is new, again and again, until the server is gone."""
    line = await log_in(server)
    try:
        while True:
            await line.send(b"b SELECT INBOX\r\n")
            await line.until(b"b")
            await line.send(b"c UID FETCH *:* (FLAGS RFC822.SIZE ENVELOPE BODYSTRUCTURE)\r\n")
            await line.until(b"c")
    finally:
        line.abort()
