"""Mod-sequences where several sessions meet (RFC 7162 §3.1, §3.2); for one alone see the transcripts."""

import re

from tests.unit.imap.world import Client, Server, World, message


async def modseq(client: Client, number: int = 1) -> int:
    """The mod-sequence of one message."""
    [line] = [line for line in await client.ok(b"FETCH %d MODSEQ" % number) if b"FETCH" in line]
    found = re.search(rb"MODSEQ \((\d+)\)", line)
    assert found is not None, line
    return int(found[1])


async def highest(client: Client) -> int:
    """What STATUS says."""
    [line] = await client.ok(b"STATUS INBOX (HIGHESTMODSEQ)")
    return int(line.rstrip(b")").split()[-1])


def test_a_silent_store_tells_what_another_has_changed_before_it(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message(), message())
        await client.ok(b"SELECT INBOX (CONDSTORE)")
        async with server.client() as other:
            await other.ok(b"SELECT INBOX")
            await other.ok(b"STORE 1 +FLAGS.SILENT (\\Flagged)")
        # The client knows the number by STATUS alone, and not what has changed.
        since = await server_modseq(server)
        lines = await client.ok(b"STORE 1:2 (UNCHANGEDSINCE %d) +FLAGS.SILENT (\\Seen)" % since)
        assert lines == [
            b"2 FETCH (UID 2 MODSEQ (%d))" % (since + 1),
            b"1 FETCH (UID 1 FLAGS (\\Flagged \\Seen \\Recent) MODSEQ (%d))" % (since + 2),
        ]
        assert await client.ok(b"NOOP") == []

    world.talk(talk)


async def server_modseq(server: Server) -> int:
    """The mod-sequence of INBOX, asked behind the sessions' backs."""
    inbox = server.account.mailbox("INBOX")
    assert inbox is not None
    return inbox.highest_modseq


def test_the_second_of_two_that_compete_is_told(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"SELECT INBOX (CONDSTORE)")
        known = await modseq(client)
        async with server.client() as other:
            await other.ok(b"SELECT INBOX")
            for client_, answer in ((other, b"OK done"), (client, b"OK [MODIFIED 1]")):
                told = await client_.do(b"STORE 1 (UNCHANGEDSINCE %d) +FLAGS.SILENT ($Taken)" % known)
                assert told[-1].startswith(answer), told

    world.talk(talk)


def test_some_gone_and_some_changed(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message()] * 3)
        await client.ok(b"SELECT INBOX (CONDSTORE)")
        known = await modseq(client)
        async with server.client() as other:
            await other.ok(b"SELECT INBOX")
            await other.ok(b"STORE 1 +FLAGS (\\Flagged)")
            await other.ok(b"STORE 3 +FLAGS (\\Deleted)")
            await other.ok(b"EXPUNGE")
        told = await client.do(b"STORE 1:3 (UNCHANGEDSINCE %d) +FLAGS (\\Seen)" % known)
        assert told[-1].startswith(b"NO [MODIFIED 1] ")
        assert [line.split(b" (")[0] for line in told[:-2]] == [b"* 1 FETCH", b"* 2 FETCH"]
        # The expunge waits, so the client must not take the MODSEQ of message 2 for its own.
        assert told[-2].startswith(b"* OK [HIGHESTMODSEQ %d]" % known), told

    world.talk(talk)


def test_what_changes_nothing_has_no_new_modseq(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message(), flags=8)
        await client.ok(b"SELECT INBOX (CONDSTORE)")
        before = await highest(client)
        await client.ok(b"STORE 1 +FLAGS (\\Seen)")
        await client.ok(b"STORE 1 -FLAGS (\\Flagged Work)")
        await client.ok(b"FETCH 1 BODY[]")
        assert await highest(client) == await modseq(client) == before

    world.talk(talk)


def test_every_change_has_a_higher_modseq(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"SELECT INBOX (CONDSTORE)")
        seen = [await highest(client)]
        for command in (
            b"STORE 1 +FLAGS (\\Flagged)",
            b"FETCH 1 BODY[]",
            b"COPY 1 INBOX",
            b"STORE 1 +FLAGS.SILENT (\\Deleted)",
            b"EXPUNGE",
            b"MOVE 1 Trash",
        ):
            await client.ok(command)
            seen.append(await highest(client))
        assert seen == sorted(set(seen))

    world.talk(talk)
