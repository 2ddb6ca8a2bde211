"""Sessions of every kind on several workers converge, and whoever leaves and comes back too (RFC 7162 §6).

One client is plain, one knows mod-sequences, two use QRESYNC. Those leave the
mailbox now and then and come back with what they remember: UIDs, flags, and the
one number that the rules of §6 give them. They never read all of it again.
"""

import asyncio
import re
import shutil
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.properties.test_imap_two_sessions import _FLAGS, _KINDS, Mirror, Step, take
from tests.unit.imap.world import Client, World, message

_HIGHEST: Final = re.compile(rb"\S+ OK \[HIGHESTMODSEQ (\d+)\]")
_MODSEQ: Final = re.compile(rb"MODSEQ \((\d+)\)")
_VANISHED: Final = re.compile(rb"\* VANISHED( \(EARLIER\))? ([\d:,]+)")
_UIDVALIDITY: Final = re.compile(rb"\* OK \[UIDVALIDITY (\d+)\]")


class Aware(Mirror):
    """A client that knows mod-sequences; what it stores in silence it believes once it is told so."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.modseq = 0
        self._seen = 0
        self._told = 0
        self._storing: tuple[bytes, bytes] | None = None

    async def do(self, command: bytes, *, may_expunge: bool = True) -> None:
        self._seen = self._told = 0
        silent = re.search(rb"([+-])FLAGS\.SILENT \((\S+)\)", command)
        self._storing = None if silent is None else (silent[1], silent[2])
        lines = self._in_order(await self.client.do(command))
        for line in lines[:-1]:
            self._hear(line, may_expunge)
        self._hear_modseqs(b"* " + lines[-1])
        self.modseq = self._told or max(self.modseq, self._seen)

    def _in_order(self, lines: list[bytes]) -> list[bytes]:
        return lines

    def stored(self, at: int, sign: bytes, flag: bytes) -> None:
        """It has been told."""

    def _hear(self, line: bytes, may_expunge: bool) -> None:
        self._hear_modseqs(line)
        super()._hear(line, may_expunge)

    def _hear_modseqs(self, line: bytes) -> None:
        if (highest := _HIGHEST.match(line)) is not None:
            self._told = int(highest[1])
        self._seen = max([self._seen, *map(int, _MODSEQ.findall(line))])

    def _learn(self, at: int, items: bytes) -> None:
        super()._learn(at, items)
        if b"FLAGS" not in items and self._storing is not None and b"MODSEQ" in items:
            super().stored(at, *self._storing)


class Returning(Aware):
    """A client that uses QRESYNC, and may be away."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.away = False
        self._uidvalidity = 0

    async def leave(self) -> None:
        """Leave, remembering what is known in full."""
        await self.client.ok(b"UNSELECT")
        self.away = True

    async def come_back(self) -> None:
        """Select the mailbox again; what was not known is forgotten."""
        known = [at for at, uid in enumerate(self.uids) if uid is not None and self.flags[at] is not None]
        self.uids, self.flags = [self.uids[at] for at in known], [self.flags[at] for at in known]
        about = b"INBOX"
        if self._uidvalidity and self.uids:
            about += b" (QRESYNC (%d %d 1:%d))" % (self._uidvalidity, self.modseq, self.uids[-1] or 0)
        self.away = False
        await self.do(b"SELECT " + about)
        await self.read_new()

    async def read_new(self) -> None:
        """Read what was announced and is not known."""
        if None in self.uids:
            await self.do(b"FETCH %d:* (UID FLAGS)" % (self.uids.index(None) + 1), may_expunge=False)

    def _hear(self, line: bytes, may_expunge: bool) -> None:
        if (validity := _UIDVALIDITY.match(line)) is not None:
            self._uidvalidity = int(validity[1])
        gone = _VANISHED.fullmatch(line)
        if gone is None:
            assert b" EXPUNGE" not in line
            super()._hear(line, may_expunge)
            return
        assert may_expunge or gone[1]
        for low, _, high in (part.partition(b":") for part in gone[2].split(b",")):
            for uid in range(int(low), int(high or low) + 1):
                self._vanish(uid, earlier=gone[1] is not None)

    def _in_order(self, lines: list[bytes]) -> list[bytes]:
        # EXISTS counts without those that were expunged earlier, and stands in front of their UIDs.
        return sorted(lines, key=lambda line: not line.startswith(b"* VANISHED (EARLIER)"))

    def _vanish(self, uid: int, *, earlier: bool) -> None:
        if uid in self.uids:
            at = self.uids.index(uid)
        elif earlier:
            return
        else:  # one of those that were announced and not read yet
            at = next(at for at, known in enumerate(self.uids) if known is None)
        del self.uids[at], self.flags[at]


_STEPS: Final = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from((*_KINDS, "silent", "away")),
        st.integers(0, 9),
        st.sampled_from((b"+", b"-")),
        st.sampled_from(_FLAGS),
    ),
    min_size=10,
    max_size=60,
)


async def step(mirror: Mirror, kind: str, choice: int, sign: bytes, flag: bytes) -> None:
    """One step of one client."""
    if isinstance(mirror, Returning) and mirror.away:
        await mirror.come_back()
    if kind == "away":
        if isinstance(mirror, Returning):
            await mirror.leave()
        return
    if kind == "silent" and not isinstance(mirror, Aware):
        return
    await take(mirror, kind, choice, sign, flag)
    if isinstance(mirror, Returning):
        await mirror.read_new()


async def scene(folder: Path, steps: list[Step], *, at_once: bool) -> None:
    world = World(folder)
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(world.server(worker)) for worker in (0, 1)]
        await servers[0].inbox(*[message()] * 4)
        clients = [await stack.enter_async_context(servers[n % 2].client()) for n in range(5)]
        mirrors = [Mirror(clients[0]), Aware(clients[1]), Returning(clients[2]), Returning(clients[3])]
        await mirrors[0].do(b"SELECT INBOX")
        await mirrors[1].do(b"SELECT INBOX (CONDSTORE)")
        for mirror in mirrors[2:]:
            assert isinstance(mirror, Returning)
            await mirror.client.ok(b"ENABLE QRESYNC")
            await mirror.come_back()

        async def those_of(*who: int) -> None:
            for one in steps:
                if one[0] in who:
                    await step(mirrors[one[0]], *one[1:])

        await (asyncio.gather(*map(those_of, range(4))) if at_once else those_of(*range(4)))
        await agree(mirrors, Mirror(clients[4]))


async def agree(mirrors: list[Mirror], truth: Mirror) -> None:
    """What each has been told is what is there."""
    await truth.do(b"EXAMINE INBOX")
    await truth.do(b"UID FETCH 1:* (UID FLAGS)")
    for mirror in mirrors:
        if isinstance(mirror, Returning):
            if mirror.away:
                await mirror.come_back()
            await mirror.do(b"NOOP")
            await mirror.read_new()
            assert mirror.uids == truth.uids
            assert mirror.flags == truth.flags
            # Once more: whoever comes back is told nothing that is new to it, and misses nothing.
            await mirror.leave()
            await mirror.come_back()
            assert (mirror.uids, mirror.flags) == (truth.uids, truth.flags)
            continue
        await mirror.do(b"NOOP")
        assert len(mirror.uids) == len(truth.uids)
        for mine, theirs in zip(mirror.uids, truth.uids, strict=True):
            assert mine in (None, theirs)
        for known, real in zip(mirror.flags, truth.flags, strict=True):
            assert known in (None, real)


def play(steps: list[Step], *, at_once: bool) -> None:
    """Run the steps on fresh servers."""
    folder = Path(tempfile.mkdtemp())
    try:
        asyncio.run(scene(folder, steps, at_once=at_once))
    finally:
        shutil.rmtree(folder)


_DELAYED: Final[list[Step]] = [
    (1, "store", 1, b"+", b"\\Deleted"),
    (1, "expunge", 0, b"+", b"\\Seen"),
    (1, "store", 0, b"+", b"\\Flagged"),
    (2, "fetch", 0, b"+", b"\\Seen"),  # told a higher MODSEQ than that of the expunge, which waits
    (2, "away", 0, b"+", b"\\Seen"),
]


@settings(max_examples=10)
@given(_STEPS)
@example(_DELAYED)
def test_all_converge_in_turn(steps: list[Step]) -> None:
    play(steps, at_once=False)


@settings(max_examples=10)
@given(_STEPS)
def test_all_converge_at_once(steps: list[Step]) -> None:
    play(steps, at_once=True)
