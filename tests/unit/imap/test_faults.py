"""What a client hears when something is broken on our side."""

import os

from tests.unit.imap.world import Client, Server, World, message


def test_an_error_of_ours_does_not_end_the_session(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.store.database.write(lambda tx: tx.run("DROP TABLE subscription"))
        assert (await client.do(b'LSUB "" *'))[-1].startswith(b"NO [SERVERBUG]")
        assert await client.ok(b"NOOP") == []

    world.talk(talk)


def test_a_damaged_message_is_named_and_never_served(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        (pack,) = [path for path in (world.data / "packs").iterdir() if path.stat().st_size]
        os.truncate(pack, 0)
        await client.ok(b"SELECT INBOX")
        lines = await client.do(b"FETCH 1 (UID BODY.PEEK[])")
        assert lines == [b"NO [CORRUPTION] a message is damaged; the operator has been told"]
        assert await client.ok(b"FETCH 1 UID") == [b"1 FETCH (UID 1)"]
        assert await client.ok(b"SEARCH BODY Hi") == [b"SEARCH"]

    world.talk(talk)


def test_a_client_that_is_gone_ends_its_session(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message(body="x" * 70 + "\r\n" * 100_000))
        await client.ok(b"SELECT INBOX")
        await client.send(b"a FETCH 1 BODY.PEEK[]\r\n")
        client.writer.transport.abort()

    world.talk(talk)
