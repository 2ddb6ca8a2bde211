"""Clients that come back, to whom not everything can be told (RFC 7162 §3.2.5, §3.2.6)."""

import re
from array import array

from hypothesis import given
from hypothesis import strategies as st

from postroad.imap.resync import matched
from postroad.imap.wire.sequence_set import SequenceSet
from postroad.store.tombstones import forget_tombstones
from tests.unit.imap.world import Client, Server, World, message


def vanished(lines: list[bytes]) -> list[bytes]:
    """What VANISHED says, and which kind."""
    return [line.removeprefix(b"VANISHED ") for line in lines if line.startswith(b"VANISHED")]


async def forget(server: Server) -> None:
    """Forget all tombstones."""
    await forget_tombstones(server.store.database, 0.0, seconds=1e9, most=0)


async def come_and_go(server: Server, count: int = 6) -> tuple[int, int]:
    """Fill INBOX; give UIDVALIDITY and modseq as a client saw them then."""
    await server.inbox(*[message()] * count)
    inbox = server.account.mailbox("INBOX")
    assert inbox is not None
    return inbox.uidvalidity, inbox.highest_modseq


async def expunge(server: Server, *uids: int) -> None:
    """Expunge messages behind the sessions' backs."""
    inbox = server.account.mailbox("INBOX")
    assert inbox is not None
    await server.account.expunge(inbox.id, [(uid, uid) for uid in uids], only_deleted=False)


def test_below_the_floor_all_that_is_missing_is_named(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        known = await come_and_go(server)
        await expunge(server, 1)
        await expunge(server, 3, 4)
        await forget(server)
        await expunge(server, 6)
        await client.ok(b"ENABLE QRESYNC")
        told = await client.ok(b"SELECT INBOX (QRESYNC (%d %d))" % known)
        assert vanished(told) == [b"(EARLIER) 1,3:4,6"]
        told = await client.ok(b"SELECT INBOX (QRESYNC (%d %d 2:5))" % known)
        assert vanished(told) == [b"(EARLIER) 3:4"]
        # The second message is the first now, and the fifth the second: up to there it all matches.
        told = await client.ok(b"SELECT INBOX (QRESYNC (%d %d 1:6 (1:2 2,5)))" % known)
        assert vanished(told) == [b"(EARLIER) 6"]
        told = await client.ok(b"SELECT INBOX (QRESYNC (%d %d 1:4294967295))" % known)
        assert vanished(told) == [b"(EARLIER) 1,3:4,6"]
        assert vanished(await client.ok(b"UID FETCH 1:* UID (CHANGEDSINCE %d VANISHED)" % known[1])) == [
            b"(EARLIER) 1,3:4,6"
        ]

    world.talk(talk)


def test_under_uidonly_what_has_changed_is_named_once(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        known = await come_and_go(server, 2)
        await server.inbox(message())
        await client.ok(b"ENABLE QRESYNC UIDONLY")
        told = await client.ok(b"SELECT INBOX (QRESYNC (%d %d))" % known)
        [news] = [line for line in told if b"FETCH" in line]
        assert re.fullmatch(rb"3 UIDFETCH \(FLAGS \(\\Recent\) MODSEQ \([0-9]+\)\)", news)

    world.talk(talk)


def test_above_the_floor_only_what_went_since(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        uidvalidity, _ = await come_and_go(server)
        await expunge(server, 1)
        await forget(server)
        _, modseq = await come_and_go(server, 1)
        await expunge(server, 6)
        await client.ok(b"ENABLE QRESYNC")
        told = await client.ok(b"SELECT INBOX (QRESYNC (%d %d))" % (uidvalidity, modseq))
        assert vanished(told) == [b"(EARLIER) 6"]

    world.talk(talk)


def test_a_mailbox_that_is_empty_now(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        known = await come_and_go(server, 3)
        await client.ok(b"ENABLE QRESYNC")
        assert vanished(await client.ok(b"SELECT Sent (QRESYNC (%d %d))" % known)) == []
        await expunge(server, 1, 2, 3)
        told = await client.ok(b"SELECT INBOX (QRESYNC (%d %d))" % known)
        assert vanished(told) == [b"(EARLIER) 1:3"]
        told = await client.ok(b"UID FETCH 1:* FLAGS (CHANGEDSINCE %d VANISHED)" % known[1])
        assert vanished(told) == [b"(EARLIER) 1:3"]

    world.talk(talk)


def test_a_session_is_told_of_expunges_that_are_forgotten_already(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await come_and_go(server)
        await client.ok(b"SELECT INBOX")
        async with server.client() as other:
            await other.ok(b"ENABLE QRESYNC")
            await other.ok(b"SELECT INBOX")
            await expunge(server, 2, 5)
            await forget(server)
            await server.inbox(message())
            assert (await client.do(b"FETCH 6 UID"))[-1].startswith(b"OK")
            assert await client.ok(b"NOOP") == [b"5 EXPUNGE", b"2 EXPUNGE", b"5 RECENT"]
            assert b"VANISHED 2,5" in await other.ok(b"NOOP")

    world.talk(talk)


def test_a_long_answer_comes_in_lines_of_some_kilobytes(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        known = await come_and_go(server, 1)
        inbox = server.account.mailbox("INBOX")
        assert inbox is not None
        while (count := (await server.account.listing(inbox.id)).uids[-1]) < 5000:
            await server.account.copy(inbox.id, [(1, count)], inbox.id)
        known = (known[0], (await server.account.listing(inbox.id)).modseq)
        await expunge(server, *range(1, 5000, 2))
        await client.ok(b"ENABLE QRESYNC")
        lines = vanished(await client.ok(b"SELECT INBOX (QRESYNC (%d %d))" % known))
        assert max(map(len, lines)) < 8000
        uids = [int(uid) for line in lines for uid in re.findall(rb"\d+", line)]
        assert uids == list(range(1, 5000, 2))

    world.talk(talk)


@given(st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60)), st.data())
def test_matched_is_the_last_number_that_has_its_uid(
    there: set[int], gone: set[int], data: st.DataObject
) -> None:
    before, now = sorted(there | gone), array("I", sorted(there))
    sample = sorted(data.draw(st.sets(st.sampled_from(range(len(before)))))) if before else []
    if not sample:
        return
    numbers = ranges([at + 1 for at in sample], data)
    uids = ranges([before[at] for at in sample], data)
    expected = [before[at] for at in sample if now[at : at + 1] == array("I", [before[at]])]
    assert matched(numbers, uids, now) == max(expected, default=0)


def ranges(numbers: list[int], data: st.DataObject) -> SequenceSet:
    """Write ascending numbers as a set, some runs joined and some not."""
    found: list[tuple[int | None, int | None]] = []
    for number in numbers:
        last = found[-1][1] if found else None
        if last == number - 1 and data.draw(st.booleans()):
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return SequenceSet(tuple(found))


def test_a_sample_of_four_billion_is_not_written_out() -> None:
    every = SequenceSet(((1, 4294967295),))
    assert matched(every, every, array("I", range(1, 1001))) == 1000
    assert matched(every, every, array("I", range(2, 1001))) == 0
    assert matched(every, every, array("I")) == 0
