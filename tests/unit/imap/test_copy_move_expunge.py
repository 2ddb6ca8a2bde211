"""COPY, MOVE, EXPUNGE (RFC 3501 §6.4.3, §6.4.7; RFC 6851; RFC 4315)."""

from postroad.store.parts import PART
from tests.unit.imap.world import Client, Server, World, message


async def uidvalidity(server: Server, name: str) -> int:
    mailbox = server.account.mailbox(name)
    assert mailbox is not None
    return mailbox.uidvalidity


def test_copy(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.append(message(), flags=b"\\Flagged $Work")
        await server.inbox(message(), message())
        await client.ok(b"SELECT INBOX")
        validity = await uidvalidity(server, "Trash")
        (answer,) = await client.do(b"COPY 1,3 Trash")
        assert answer.startswith(b"OK [COPYUID %d 1,3 1:2]" % validity)
        (answer,) = await client.do(b"UID COPY 2:9 Trash")
        assert answer.startswith(b"OK [COPYUID %d 2:3 3:4]" % validity)
        assert await client.ok(b"UID COPY 99 Trash") == []
        assert b"4 EXISTS" in await client.ok(b"EXAMINE Trash")
        (line,) = await client.ok(b"FETCH 1 FLAGS")
        assert line == b"1 FETCH (FLAGS (\\Flagged $Work \\Recent))"

    world.talk(talk)


def test_copy_to_where_one_is(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"SELECT INBOX")
        lines = await client.ok(b"COPY 1 INBOX")
        assert lines == [b"2 EXISTS", b"2 RECENT"]

    world.talk(talk)


def test_a_target_that_is_not_there(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"SELECT INBOX")
        for command in (b"COPY 1 Nowhere", b"UID COPY 1 Nowhere", b"MOVE 1 Nowhere", b"UID MOVE 1 Nowhere"):
            assert (await client.do(command))[-1].startswith(b"NO [TRYCREATE]")
        assert (await client.do(b"COPY 2 Trash"))[-1].startswith(b"BAD")

    world.talk(talk)


def test_move(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message()] * 4)
        await client.ok(b"SELECT INBOX")
        validity = await uidvalidity(server, "Archive")
        lines = await client.ok(b"MOVE 1,3 Archive")
        assert lines == [b"OK [COPYUID %d 1,3 1:2] moved" % validity, b"3 EXPUNGE", b"1 EXPUNGE", b"2 RECENT"]
        assert await client.ok(b"FETCH 1:* UID") == [b"1 FETCH (UID 2)", b"2 FETCH (UID 4)"]
        lines = await client.ok(b"UID MOVE 4 Archive")
        assert lines == [b"OK [COPYUID %d 4 3] moved" % validity, b"2 EXPUNGE", b"1 RECENT"]
        assert await client.ok(b"STATUS Archive (MESSAGES)") == [b"STATUS Archive (MESSAGES 3)"]

    world.talk(talk)


def test_very_many_are_moved_in_parts_and_told_of_together(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        count = PART + 200
        await server.inbox(*[message()] * count)
        await client.ok(b"SELECT INBOX")
        validity = await uidvalidity(server, "Archive")
        lines = await client.ok(b"MOVE 1:* Archive")
        assert lines[0] == b"OK [COPYUID %d 1:%d 1:%d] moved" % (validity, count, count)
        assert len(lines) == 1 + count + 1
        assert lines[-1] == b"0 RECENT"
        assert await client.ok(b"STATUS Archive (MESSAGES)") == [b"STATUS Archive (MESSAGES %d)" % count]

    world.talk(talk)


def test_nothing_of_very_many_is_moved_where_one_is_gone(world: World) -> None:
    async def work(server: Server) -> None:
        count = PART + 200
        await server.inbox(*[message()] * count)
        async with server.client() as one, server.client() as other:
            await one.ok(b"SELECT INBOX")
            await other.ok(b"SELECT INBOX")
            await other.ok(b"STORE 7 +FLAGS.SILENT (\\Deleted)")
            await other.ok(b"EXPUNGE")
            assert (await one.do(b"MOVE 1:* Archive"))[-1].startswith(b"NO [EXPUNGEISSUED]")
            assert await one.ok(b"STATUS Archive (MESSAGES)") == [b"STATUS Archive (MESSAGES 0)"]
            lines = await one.ok(b"UID MOVE 1:* Archive")
            assert b"COPYUID" in lines[0]
            assert b" 1:6,8:%d 1:%d]" % (count, count - 1) in lines[0]

    world.run(work)


def test_expunge_counts_down(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message()] * 5)
        await client.ok(b"SELECT INBOX")
        await client.ok(b"STORE 2:3,5 +FLAGS.SILENT (\\Deleted)")
        assert await client.ok(b"UID EXPUNGE 1:3") == [b"3 EXPUNGE", b"2 EXPUNGE", b"3 RECENT"]
        assert await client.ok(b"EXPUNGE") == [b"3 EXPUNGE", b"2 RECENT"]
        assert await client.ok(b"EXPUNGE") == []
        assert await client.ok(b"UID SEARCH ALL") == [b"SEARCH 1 4"]

    world.talk(talk)


def test_quota_stands_against_copies_not_against_moves(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await server.store.database.write(lambda tx: tx.run("UPDATE account SET quota_messages = 1"))
        await client.ok(b"SELECT INBOX")
        assert (await client.do(b"COPY 1 Trash"))[-1].startswith(b"NO [OVERQUOTA]")
        assert (await client.ok(b"MOVE 1 Trash"))[-2:] == [b"1 EXPUNGE", b"0 RECENT"]

    world.talk(talk)
