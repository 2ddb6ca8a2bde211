"""Whatever two sessions do to a mailbox, what each was told is what is there.

Each client keeps a mirror from untagged responses alone, as real clients do:
numbers by EXISTS and EXPUNGE, flags by FETCH and by what it silently stored.
"""

import asyncio
import re
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.imap.world import Client, Server, World, message

_FLAGS: Final = (b"\\Seen", b"\\Flagged", b"\\Deleted", b"Work")
_RESPONSE: Final = re.compile(rb"\* (\d+) (EXISTS|EXPUNGE|RECENT|FETCH)\b(?s:(.*))")

FlagSet = frozenset[bytes]


class Mirror:
    """One client and what it believes."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.uids: list[int | None] = []
        self.flags: list[FlagSet | None] = []

    async def do(self, command: bytes, *, may_expunge: bool = True) -> None:
        for line in (await self.client.do(command))[:-1]:
            self._hear(line, may_expunge)

    def _hear(self, line: bytes, may_expunge: bool) -> None:
        match = _RESPONSE.fullmatch(line)
        if match is None:
            return
        number = int(match[1])
        if match[2] == b"EXISTS":
            assert number >= len(self.uids), "EXISTS never goes down"
            self.uids += [None] * (number - len(self.uids))
            self.flags += [None] * (number - len(self.flags))
        elif match[2] == b"EXPUNGE":
            assert may_expunge, "no EXPUNGE while numbers count"
            assert 1 <= number <= len(self.uids)
            del self.uids[number - 1], self.flags[number - 1]
        elif match[2] == b"FETCH":
            self._learn(number - 1, match[3])

    def _learn(self, at: int, items: bytes) -> None:
        assert at < len(self.uids), "FETCH names a message that was announced"
        if (uid := re.search(rb"UID (\d+)", items)) is not None:
            assert self.uids[at] in (None, int(uid[1])), "a number keeps its message"
            self.uids[at] = int(uid[1])
        if (flags := re.search(rb"FLAGS \(([^)]*)\)", items)) is not None:
            self.flags[at] = frozenset(flags[1].split()) - {b"\\Recent"}

    def stored(self, at: int, sign: bytes, flag: bytes) -> None:
        """Believe what was stored in silence."""
        known = self.flags[at]
        if known is not None:
            self.flags[at] = known | {flag} if sign == b"+" else known - {flag}


Step = tuple[int, str, int, bytes, bytes]

_KINDS: Final = (
    *("append", "noop", "fetch", "body", "store", "uidstore"),
    *("search", "expunge", "uidexpunge", "copy", "move"),
)


def steps(*more: str) -> st.SearchStrategy[list[Step]]:
    step = st.tuples(
        st.integers(0, 1),
        st.sampled_from((*_KINDS, *more)),
        st.integers(0, 9),
        st.sampled_from((b"+", b"-")),
        st.sampled_from(_FLAGS),
    )
    return st.lists(step, min_size=5, max_size=40)


async def take(mirror: Mirror, kind: str, choice: int, sign: bytes, flag: bytes) -> None:
    """Do one thing with one message."""
    at = choice % len(mirror.uids) if mirror.uids else 0
    number = at + 1
    if not mirror.uids and kind not in ("append", "noop", "expunge"):
        return
    match kind:
        case "append":
            octets = message()
            await mirror.do(b"APPEND INBOX {%d+}\r\n%b" % (len(octets), octets))
        case "noop":
            await mirror.do(b"NOOP")
        case "fetch":
            await mirror.do(b"FETCH 1:* (UID FLAGS)", may_expunge=False)
        case "body":
            await mirror.do(b"FETCH %d (UID BODY[])" % number, may_expunge=False)
        case "store":
            await mirror.do(b"STORE %d %bFLAGS (%b)" % (number, sign, flag), may_expunge=False)
        case "silent":
            await mirror.do(b"STORE %d %bFLAGS.SILENT (%b)" % (number, sign, flag), may_expunge=False)
            mirror.stored(at, sign, flag)
        case "uidstore":
            await mirror.do(b"UID STORE %d %bFLAGS (%b)" % (choice + 1, sign, flag))
        case "search":
            await mirror.do(b"SEARCH DELETED", may_expunge=False)
        case "expunge":
            await mirror.do(b"EXPUNGE")
        case "uidexpunge":
            await mirror.do(b"UID EXPUNGE %d:%d" % (choice + 1, choice + 3))
        case "copy":
            await mirror.do(b"COPY %d INBOX" % number)
        case "move":
            await mirror.do(b"MOVE %d Trash" % number)


async def in_turn(mirrors: tuple[Mirror, Mirror], steps: list[Step]) -> None:
    for who, kind, choice, sign, flag in steps:
        await take(mirrors[who], kind, choice, sign, flag)


async def at_once(mirrors: tuple[Mirror, Mirror], steps: list[Step]) -> None:
    async def one(who: int) -> None:
        await in_turn(mirrors, [step for step in steps if step[0] == who])

    await asyncio.gather(one(0), one(1))


Way = Callable[[tuple[Mirror, Mirror], list[Step]], Awaitable[None]]


async def live(server: Server, steps: list[Step], way: Way) -> None:
    await server.inbox(*[message()] * 3)
    async with server.client() as first, server.client() as second, server.client() as third:
        mirrors = (Mirror(first), Mirror(second))
        for mirror in mirrors:
            await mirror.do(b"SELECT INBOX")
        await way(mirrors, steps)
        truth = Mirror(third)
        await truth.do(b"EXAMINE INBOX")
        await truth.do(b"UID FETCH 1:* (UID FLAGS)")
        for mirror in mirrors:
            await mirror.do(b"NOOP")
            assert len(mirror.uids) == len(truth.uids)
            for mine, theirs in zip(mirror.uids, truth.uids, strict=True):
                assert mine in (None, theirs)
            for known, real in zip(mirror.flags, truth.flags, strict=True):
                assert known in (None, real)


def play(steps: list[Step], way: Way) -> None:
    """Run the steps on a fresh server."""
    folder = Path(tempfile.mkdtemp())
    try:
        world = World(folder)

        async def served() -> None:
            async with world.server() as server:
                await live(server, steps, way)

        asyncio.run(served())
    finally:
        shutil.rmtree(folder)


@settings(max_examples=25)
@given(steps("silent"))
def test_mirrors_agree_in_turn(steps: list[Step]) -> None:
    play(steps, in_turn)


# Without silent stores: what a client should make of one that crosses another's change is open.
@settings(max_examples=25)
@given(steps())
def test_mirrors_agree_at_once(steps: list[Step]) -> None:
    play(steps, at_once)
