"""Log-in, states and goodbyes."""

from tests.unit.imap.world import Client, Server, World, message


def test_a_session_from_log_in_to_log_out(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        assert await client.ok(b"NOOP") == []
        await server.inbox(message())
        select = await client.ok(b"SELECT inbox")
        assert b"1 EXISTS" in select
        assert b"1 RECENT" in select
        fetched = await client.ok(b"FETCH 1 (UID FLAGS RFC822.SIZE BODY.PEEK[HEADER.FIELDS (Subject)])")
        size = len(message())
        assert fetched == [
            b"1 FETCH (UID 1 FLAGS (\\Recent) RFC822.SIZE %d" % size
            + b" BODY[HEADER.FIELDS (Subject)] {18}\r\nSubject: hello\r\n\r\n)"
        ]
        assert await client.do(b"LOGOUT") == [b"* BYE see you", b"OK logged out"]
        assert await client.rest() == b""

    world.talk(talk)
