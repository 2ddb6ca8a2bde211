"""UIDONLY, UIDBATCHES and INPROGRESS: for clients of very large mailboxes."""

import asyncio
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.imap.commands.uidbatches import cut
from postroad.imap.progress import INTERVAL, Progress
from postroad.imap.wire.core import ImapServerCore
from tests.unit.directory.world import HeldClock
from tests.unit.imap.world import Client, Server, World, message


@given(st.sets(st.integers(1, 60)), st.integers(1, 9))
def test_batches_are_full_and_lie_side_by_side(uids: set[int], size: int) -> None:
    ascending = array("I", sorted(uids))
    batches = cut(ascending, size)
    counts = [sum(low <= uid <= high for uid in uids) for high, low in batches]
    assert sum(counts) == len(uids)
    assert counts[:-1] == [size] * (len(counts) - 1)
    assert all(0 < count <= size for count in counts)
    assert [low - 1 for _, low in batches] == [*[high for high, _ in batches[1:]], *[0] * bool(batches)]


def test_contexts_by_number_end_with_uidonly(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        await client.ok(b"SEARCH RETURN (UPDATE) ALL")
        await client.ok(b"UID SEARCH RETURN (UPDATE) ALL")
        lines = await client.ok(b"ENABLE UIDONLY")
        assert lines == [b"ENABLED UIDONLY", b'NO [NOUPDATE "t3"] messages have no numbers any more']
        await client.ok(b"NOTIFY SET (selected (MessageNew (FLAGS) MessageExpunge FlagChange))")
        await server.inbox(message())
        told = [await client.line() for _ in range(4)]
        assert told == [
            b"* 1 EXISTS",
            b"* 1 RECENT",
            b"* 1 UIDFETCH (FLAGS (\\Recent))",
            b'* ESEARCH (TAG "t4") UID ADDTO (0 1)',
        ]

    world.talk(talk)


def test_progress_is_told_at_intervals() -> None:
    clock, core = HeldClock(), ImapServerCore()
    progress = Progress(core, lambda: None, clock, b"A1")
    progress.done = 3
    progress.tell()
    assert core.data_to_send() == b""
    clock.time += INTERVAL
    progress.tell()
    progress.tell()
    assert core.data_to_send() == b'* OK [INPROGRESS ("A1" 3 NIL)] still at it\r\n'
    clock.time += INTERVAL - 1
    progress.done, progress.goal = 7, 10
    progress.tell()
    assert core.data_to_send() == b""
    clock.time += 1
    progress.tell()
    assert core.data_to_send() == b'* OK [INPROGRESS ("A1" 7 10)] still at it\r\n'


def test_progress_is_told_of_what_is_done_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postroad.imap.progress.INTERVAL", 0.001)
    clock, core = HeldClock(), ImapServerCore()
    told = asyncio.Event()

    async def work() -> int:
        await told.wait()
        return 7

    def flush() -> None:
        told.set()

    async def wait() -> int:
        progress = Progress(core, flush, clock, b"A1")
        progress.goal = 9
        clock.time += 1
        return await progress.meanwhile(work())

    assert asyncio.run(wait()) == 7
    assert core.data_to_send() == b'* OK [INPROGRESS ("A1" 0 9)] still at it\r\n'


def test_progress_is_not_told_where_it_is_switched_off() -> None:
    clock, core = HeldClock(), ImapServerCore()
    core.offer_only(frozenset(), frozenset({"INPROGRESS"}))
    progress = Progress(core, lambda: None, clock, b"A1")
    clock.time += 100 * INTERVAL
    progress.tell()
    assert core.data_to_send() == b""
