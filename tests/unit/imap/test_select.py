"""SELECT, EXAMINE, CLOSE, UNSELECT, STATUS, and what is \\Recent to whom."""

from postroad.model.flags import Flag
from tests.unit.imap.world import Client, Server, World, message


def test_select_tells_all_that_it_has_to(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message(), message(), flags=Flag.SEEN)
        await server.inbox(message())
        lines = await client.ok(b"SELECT INBOX")
        assert lines[0] == b"FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)"
        assert lines[1].startswith(b"OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)]")
        assert lines[2:4] == [b"3 EXISTS", b"3 RECENT"]
        inbox = server.account.mailbox("INBOX")
        assert inbox is not None
        assert lines[4].startswith(b"OK [UIDVALIDITY %d]" % inbox.uidvalidity)
        assert lines[5].startswith(b"OK [UIDNEXT 4]")
        assert lines[6].startswith(b"OK [MAILBOXID (F1-1-%d)]" % inbox.uidvalidity)
        assert lines[7].startswith(b"OK [URLMECH INTERNAL]")
        assert lines[8].startswith(b"OK [UNSEEN 3]")
        assert (await client.do(b"SELECT INBOX"))[-1].startswith(b"OK [READ-WRITE]")

    world.talk(talk)


def test_examine_changes_nothing(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        lines = await client.do(b"EXAMINE INBOX")
        assert lines[-1].startswith(b"OK [READ-ONLY]")
        assert b"* OK [PERMANENTFLAGS ()] flags that stay" in lines
        assert b"* 1 RECENT" in lines
        fetched = await client.ok(b"FETCH 1 (FLAGS BODY[TEXT])")
        assert fetched == [b"1 FETCH (FLAGS (\\Recent) BODY[TEXT] {5}\r\nHi.\r\n)"]
        assert await client.ok(b"FETCH 1 FLAGS") == [b"1 FETCH (FLAGS (\\Recent))"]
        for command in (b"STORE 1 +FLAGS (\\Seen)", b"EXPUNGE", b"UID EXPUNGE 1", b"MOVE 1 Trash"):
            assert (await client.do(command))[-1].startswith(b"NO [READ-ONLY]")
        assert b"1 RECENT" in await client.ok(b"EXAMINE INBOX")
        assert b"1 RECENT" in await client.ok(b"SELECT INBOX")
        assert b"0 RECENT" in await client.ok(b"SELECT INBOX")

    world.talk(talk)


def test_a_message_is_recent_in_one_session(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        await server.inbox(message())
        async with server.client() as other:
            assert b"1 RECENT" in await other.ok(b"SELECT INBOX")
        assert await client.ok(b"NOOP") == [b"1 EXISTS", b"0 RECENT"]
        await server.inbox(message())
        assert await client.ok(b"NOOP") == [b"2 EXISTS", b"1 RECENT"]
        assert await client.ok(b"FETCH 1:2 FLAGS") == [b"1 FETCH (FLAGS ())", b"2 FETCH (FLAGS (\\Recent))"]
        assert await client.ok(b"SEARCH RECENT") == [b"SEARCH 2"]
        assert await client.ok(b"SEARCH OLD") == [b"SEARCH 1"]

    world.talk(talk)


def test_a_failed_select_leaves_nothing_selected(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        assert (await client.do(b"SELECT Nowhere"))[-1].startswith(b"NO [NONEXISTENT]")
        assert (await client.do(b"FETCH 1 FLAGS"))[-1].startswith(b"BAD")

    world.talk(talk)


def test_close_expunges_and_unselect_does_not(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message(), flags=Flag.DELETED)
        await client.ok(b"SELECT INBOX")
        assert await client.ok(b"UNSELECT") == []
        await client.ok(b"EXAMINE INBOX")
        assert await client.ok(b"CLOSE") == []
        assert b"1 EXISTS" in await client.ok(b"SELECT INBOX")
        assert await client.ok(b"CLOSE") == []
        assert b"0 EXISTS" in await client.ok(b"SELECT INBOX")

    world.talk(talk)


def test_check(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        await server.inbox(message())
        assert await client.ok(b"CHECK") == [b"1 EXISTS", b"1 RECENT"]

    world.talk(talk)


def test_status(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message(), flags=Flag.SEEN)
        await server.inbox(message(), flags=Flag.DELETED)
        items = b"MESSAGES RECENT UIDNEXT UNSEEN SIZE DELETED DELETED-STORAGE"
        size = 2 * len(message())
        assert await client.ok(b"STATUS inbox (%b)" % items) == [
            b"STATUS INBOX (MESSAGES 2 RECENT 2 UIDNEXT 3 UNSEEN 1 SIZE %d DELETED 1" % size
            + b" DELETED-STORAGE %d)" % (size // 2)
        ]
        await client.ok(b"SELECT INBOX")
        assert await client.ok(b"STATUS INBOX (RECENT)") == [b"STATUS INBOX (RECENT 0)"]
        assert (await client.do(b"STATUS Nowhere (MESSAGES)"))[-1].startswith(b"NO [NONEXISTENT]")
        assert (await client.do(b"STATUS INBOX (NONSENSE)"))[-1].startswith(b"BAD")

    world.talk(talk)


def test_a_mailbox_that_is_deleted_under_a_session(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"CREATE Doomed")
        await client.ok(b"SELECT Doomed")
        async with server.client() as other:
            await other.ok(b"DELETE Doomed")
        await client.send(b"a NOOP\r\n")
        assert (await client.rest()).startswith(b"* BYE")

    world.talk(talk)
