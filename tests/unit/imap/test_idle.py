"""IDLE (RFC 2177)."""

from tests.unit.imap.world import Client, Server, World, message


def test_news_come_by_themselves(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        await client.send(b"a IDLE\r\n")
        assert (await client.line()).startswith(b"+ ")
        await server.inbox(message())
        assert [await client.line(), await client.line()] == [b"* 1 EXISTS", b"* 1 RECENT"]
        async with server.client() as other:
            await other.ok(b"SELECT INBOX")
            await other.ok(b"STORE 1 +FLAGS (\\Deleted)")
            assert await client.line() == b"* 1 FETCH (FLAGS (\\Deleted \\Recent))"
            await other.ok(b"EXPUNGE")
            assert [await client.line(), await client.line()] == [b"* 1 EXPUNGE", b"* 0 RECENT"]
        await client.send(b"DONE\r\n")
        assert await client.line() == b"a OK done"

    world.talk(talk)


def test_news_from_another_worker(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        await client.send(b"a IDLE\r\n")
        assert (await client.line()).startswith(b"+ ")
        async with world.server(worker=1) as second:
            await second.inbox(message())
            assert await client.line() == b"* 1 EXISTS"

    world.talk(talk)


def test_what_happened_before_is_told_at_once(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        await server.inbox(message())
        await client.send(b"a IDLE\r\nDONE\r\n")
        lines = await client.until(b"a")
        assert lines[1:] == [b"* 1 EXISTS", b"* 1 RECENT", b"a OK done"]

    world.talk(talk)


def test_anything_but_done(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.send(b"a IDLE\r\nb NOOP\r\n")
        assert (await client.until(b"a"))[-1].startswith(b"a BAD")
        assert await client.ok(b"NOOP") == []

    world.talk(talk)


def test_a_stopping_server_ends_it(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.send(b"a IDLE\r\n")
        assert (await client.line()).startswith(b"+ ")
        for connection in server.connections:
            connection.drain()
        assert (await client.rest()).startswith(b"* BYE [UNAVAILABLE]")

    world.talk(talk)
