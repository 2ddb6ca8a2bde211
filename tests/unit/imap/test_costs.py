"""What one command may cost: a session that asks for much gets it in turns, or is told no."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.imap.turns import Turns
from postroad.imap.windows import stands_in
from postroad.imap.wire.limits import FETCH_ITEMS, LIST_PATTERNS, SEARCH_TEXTS
from postroad.message.collation import collated
from postroad.message.header import MAX_HEADER
from postroad.net.connection import Connection
from postroad.testing.clock import ManualClock
from tests.unit.imap.world import Client, Server, World, message


def joined(piece: bytes, count: int) -> bytes:
    """`count` pieces, numbered, with spaces between."""
    return b" ".join([piece % number for number in range(count)])


@pytest.mark.parametrize(
    ("enough", "too_many"),
    [
        (
            b"FETCH 1 (%b)" % joined(b"BODY.PEEK[]<%d.1>", FETCH_ITEMS),
            b"FETCH 1 (%b)" % joined(b"BODY.PEEK[]<%d.1>", FETCH_ITEMS + 1),
        ),
        (
            b'LIST "" (%b)' % joined(b"a%d", LIST_PATTERNS),
            b'LIST "" (%b)' % joined(b"a%d", LIST_PATTERNS + 1),
        ),
        (
            b"SEARCH " + joined(b"NOT BODY a%d", SEARCH_TEXTS),
            b"SEARCH " + joined(b"NOT TEXT a%d", SEARCH_TEXTS + 1),
        ),
    ],
    ids=["items", "patterns", "texts"],
)
def test_a_command_may_ask_for_so_much_and_no_more(world: World, enough: bytes, too_many: bytes) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"SELECT INBOX")
        await client.ok(enough)
        assert (await client.do(too_many))[-1].startswith(b"BAD ")

    world.talk(talk)


def test_wildcards_are_counted_over_all_patterns(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b'LIST "" (%b)' % joined(b"*x%d", 32))
        assert (await client.do(b'LIST "" (%b)' % joined(b"*x%d", 33)))[-1].startswith(b"NO [LIMIT]")
        # Asked for twice is asked for once.
        await client.ok(b'LIST "" (%b)' % b" ".join([b"*"] * 50))

    world.talk(talk)


def test_fields_are_looked_for_where_every_header_ends(world: World) -> None:
    header = b"First: 1\r\n" + b"Filler: 0123456789\r\n" * (MAX_HEADER // 20 + 1) + b"Last: 2\r\n\r\n"

    async def talk(server: Server, client: Client) -> None:
        await server.inbox(header + b"body\r\n")
        await client.ok(b"SELECT INBOX")
        (said,) = await client.ok(b"FETCH 1 BODY.PEEK[HEADER.FIELDS (First Last)]")
        assert b"First: 1\r\n\r\n" in said
        assert b"Last: 2" not in said
        (whole,) = await client.ok(b"FETCH 1 BODY.PEEK[HEADER]")
        assert header in whole

    world.talk(talk)


def test_only_so_many_domains_of_a_message_have_two_names(world: World) -> None:
    """Each takes a tenth of a millisecond, and a header has room for ten thousand."""
    addresses = [b"a@" + f"ä{number}.test".encode("idna") for number in range(200)]

    async def talk(server: Server, client: Client) -> None:
        await server.inbox(b"To: " + b",\r\n ".join(addresses) + b"\r\n\r\nbody\r\n")
        await client.ok(b"ENABLE UTF8=ACCEPT")
        await client.ok(b"SELECT INBOX")
        assert await client.ok('SEARCH TO "ä99.test"'.encode()) == [b"SEARCH 1"]
        assert await client.ok('SEARCH TO "ä199.test"'.encode()) == [b"SEARCH"]
        assert await client.ok(b"SEARCH TO " + addresses[199]) == [b"SEARCH 1"]

    world.talk(talk)


@given(
    text=st.text(alphabet="aÄ\u0308ﬁﷺß \U0001f4a9", max_size=20),
    before=st.integers(0, 3),
    wanted=st.text(alphabet="aÄ\u0308ﬁﷺß", min_size=1, max_size=4),
)
def test_where_windows_meet_makes_no_difference(text: str, before: int, wanted: str) -> None:
    long = "ä" * (64 * 1024 - before) + text
    assert stands_in(collated(wanted), long) is (collated(wanted) in collated(long))


def test_a_turn_ends_with_its_time_and_a_command_with_its_client() -> None:
    async def nothing(_: Connection) -> None:
        pass

    async def take_turns() -> None:
        conn, clock = Connection(nothing, connection_id="c"), ManualClock()
        turns = Turns(conn, clock)
        others: list[str] = []
        asyncio.get_running_loop().call_soon(others.append, "served")
        await turns.next()
        assert not others
        await clock.advance(0.006, between=_at_once)
        await turns.next()
        assert others == ["served"]
        conn.connection_lost(None)
        await turns.next()
        with pytest.raises(ConnectionError):
            await turns.give_way()

    asyncio.run(take_turns())


async def _at_once() -> None:
    pass


def test_a_mailbox_of_many_keywords_can_be_selected(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message(str(number)) for number in range(30)])
        await client.ok(b"SELECT INBOX")
        for number in range(1, 31):
            await client.ok(b"STORE %d +FLAGS.SILENT (%b)" % (number, joined(b"k%d-%%d" % number, 90)))
        named = [line for line in await client.ok(b"SELECT INBOX") if line.startswith(b"FLAGS ")]
        assert 1000 <= len(named[0].split()) < 1200
        # What is not named is there all the same.
        (flags,) = await client.ok(b"FETCH 30 (FLAGS)")
        assert b" k30-89" in flags
        assert await client.ok(b"SEARCH KEYWORD k30-89") == [b"SEARCH 30"]

    world.talk(talk)
