"""STORE, and what other sessions hear of it (RFC 3501 §6.4.6, §7.4.1)."""

from tests.unit.imap.world import Client, Server, World, message


async def selected(server: Server, client: Client, count: int) -> None:
    """Select INBOX with so many messages, none of them recent."""
    await server.inbox(*[message()] * count)
    await client.ok(b"SELECT INBOX")
    await client.ok(b"SELECT INBOX")


def test_set_add_and_remove(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await selected(server, client, 2)
        assert await client.ok(b"STORE 1:2 FLAGS (\\Seen \\Draft)") == [
            b"1 FETCH (FLAGS (\\Seen \\Draft))",
            b"2 FETCH (FLAGS (\\Seen \\Draft))",
        ]
        assert await client.ok(b"STORE 1 +FLAGS \\Flagged") == [b"1 FETCH (FLAGS (\\Flagged \\Seen \\Draft))"]
        assert await client.ok(b"STORE 1 -FLAGS (\\Seen)") == [b"1 FETCH (FLAGS (\\Flagged \\Draft))"]
        assert await client.ok(b"UID STORE 1 FLAGS ()") == [b"1 FETCH (UID 1 FLAGS ())"]
        assert await client.ok(b"STORE 1 +FLAGS (\\Recent)") == [b"1 FETCH (FLAGS ())"]
        assert await client.ok(b"NOOP") == []

    world.talk(talk)


def test_keywords(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await selected(server, client, 1)
        lines = await client.ok(b"STORE 1 +FLAGS ($Forwarded Work)")
        assert lines[0] == b"FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded Work)"
        assert lines[1].startswith(b"OK [PERMANENTFLAGS (")
        assert lines[2:] == [b"1 FETCH (FLAGS ($Forwarded Work))"]
        assert await client.ok(b"SEARCH KEYWORD WORK") == [b"SEARCH 1"]
        assert await client.ok(b"SEARCH UNKEYWORD work") == [b"SEARCH"]
        assert await client.ok(b"STORE 1 -FLAGS (work)") == [b"1 FETCH (FLAGS ($Forwarded))"]
        assert (await client.do(b"STORE 1 +FLAGS (%b)" % (b"x" * 101)))[-1].startswith(b"NO [LIMIT]")

    world.talk(talk)


def test_silence(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await selected(server, client, 2)
        assert await client.ok(b"STORE 1:2 +FLAGS.SILENT (\\Seen)") == []
        assert await client.ok(b"UID STORE 1:2 FLAGS.SILENT ()") == []
        assert await client.ok(b"NOOP") == []

    world.talk(talk)


def test_silence_is_about_ones_own_change_alone(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await selected(server, client, 2)
        async with server.client() as other:
            await other.ok(b"SELECT INBOX")
            await other.ok(b"STORE 1 +FLAGS (\\Flagged)")
            assert await client.ok(b"STORE 1:2 +FLAGS.SILENT (\\Seen)") == [
                b"1 FETCH (FLAGS (\\Flagged \\Seen))"
            ]
            assert await client.ok(b"NOOP") == []
            assert await other.ok(b"NOOP") == [
                b"1 FETCH (FLAGS (\\Flagged \\Seen))",
                b"2 FETCH (FLAGS (\\Seen))",
            ]

    world.talk(talk)


def test_no_expunge_while_numbers_count(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await selected(server, client, 3)
        async with server.client() as other:
            await other.ok(b"SELECT INBOX")
            await other.ok(b"STORE 1 +FLAGS (\\Deleted)")
            await other.ok(b"EXPUNGE")
        await server.inbox(message())
        assert await client.ok(b"FETCH 2 UID") == [b"2 FETCH (UID 2)", b"4 EXISTS", b"1 RECENT"]
        assert await client.ok(b"SEARCH ALL") == [b"SEARCH 2 3 4"]
        assert await client.ok(b"STORE 3 +FLAGS (\\Seen)") == [b"3 FETCH (FLAGS (\\Seen))"]
        lines = await client.do(b"STORE 1:2 +FLAGS (\\Seen)")
        assert lines[0] == b"* 2 FETCH (FLAGS (\\Seen))"
        assert lines[-1].startswith(b"NO [EXPUNGEISSUED]")
        [line] = await client.do(b"STORE 1:2 +FLAGS.SILENT (\\Flagged)")
        assert line.startswith(b"OK [EXPUNGEISSUED]")  # RFC 2180 §4.2.1
        assert (await client.do(b"COPY 1:2 Trash"))[0] == b"* 1 EXPUNGE"
        assert await client.ok(b"FETCH 1:* UID") == [
            b"1 FETCH (UID 2)",
            b"2 FETCH (UID 3)",
            b"3 FETCH (UID 4)",
        ]

    world.talk(talk)


def test_expunge_is_told_during_uid_commands(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await selected(server, client, 3)
        async with server.client() as other:
            await other.ok(b"SELECT INBOX")
            for number, command in (
                (1, b"UID FETCH 3 UID"),
                (1, b"UID SEARCH UID 3"),
            ):
                await other.ok(b"STORE %d +FLAGS (\\Deleted)" % number)
                await other.ok(b"EXPUNGE")
                assert (await client.ok(command))[-1] == b"%d EXPUNGE" % number

    world.talk(talk)


def test_out_of_range(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await selected(server, client, 1)
        assert (await client.do(b"STORE 2 +FLAGS (\\Seen)"))[-1].startswith(b"BAD")
        assert await client.ok(b"UID STORE 2 +FLAGS (\\Seen)") == []

    world.talk(talk)
