"""Log-in, states and goodbyes (RFC 3501 §6.1, §6.2)."""

import asyncio
from base64 import b64encode

import pytest

from tests.unit.imap.world import PASSWORD, USER, Client, Server, World, trusting

PLAIN = b64encode(b"\0%b\0%b" % (USER.encode(), PASSWORD.encode()))


def words(lines: list[bytes]) -> set[bytes]:
    """The capabilities of a CAPABILITY response."""
    (line,) = lines
    return set(line.split()[1:])


def test_log_out(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        assert await client.do(b"LOGOUT") == [b"* BYE see you", b"OK logged out"]
        assert await client.rest() == b""

    world.talk(talk)


def test_no_password_is_taken_in_clear(world: World) -> None:
    async def work(server: Server) -> None:
        async with server.connect(tls=False) as client:
            offered = words(await client.ok(b"CAPABILITY"))
            assert {b"LOGINDISABLED", b"STARTTLS", b"LITERAL-"} <= offered
            assert not any(word.startswith(b"AUTH=") for word in offered)
            (answer,) = await client.do(b"LOGIN %b x" % USER.encode())
            assert answer.startswith(b"NO [PRIVACYREQUIRED]")
            (answer,) = await client.do(b"AUTHENTICATE PLAIN " + PLAIN)
            assert answer.startswith(b"NO [PRIVACYREQUIRED]")

    world.run(work)


def test_capabilities_follow_the_state(world: World) -> None:
    async def work(server: Server) -> None:
        async with server.connect() as client:
            before = words(await client.ok(b"CAPABILITY"))
            assert {b"AUTH=PLAIN", b"AUTH=LOGIN", b"SASL-IR"} <= before
            assert b"STARTTLS" not in before
            (answer,) = await client.do(b'LOGIN %b "%b"' % (USER.encode(), PASSWORD.encode()))
            after = words(await client.ok(b"CAPABILITY"))
            assert b"[CAPABILITY %b]" % b" ".join(answer[15:].partition(b"]")[0].split()) in answer
            assert {b"LITERAL+", b"IDLE", b"MOVE", b"UIDPLUS", b"APPENDLIMIT=52428800"} <= after
            assert b"AUTH=PLAIN" not in after

    world.run(work)


def test_starttls_forgets_what_came_in_clear(world: World) -> None:
    async def work(server: Server) -> None:
        async with server.connect(tls=False) as client:
            await client.send(b"a STARTTLS\r\nb NOOP\r\nc LOG")
            assert await client.line() == b"a OK begin the handshake"
            await client.writer.start_tls(trusting())
            assert b"STARTTLS" not in words(await client.ok(b"CAPABILITY"))
            assert (await client.do(b"STARTTLS"))[-1].startswith(b"BAD")
            await client.login()

    world.run(work)


@pytest.mark.parametrize(
    "exchange",
    [
        (b"a AUTHENTICATE PLAIN " + PLAIN,),
        (b"a AUTHENTICATE PLAIN", PLAIN),
        (b"a authenticate login", b64encode(USER.encode()), b64encode(PASSWORD.encode())),
        (b"a AUTHENTICATE LOGIN " + b64encode(USER.encode()), b64encode(PASSWORD.encode())),
    ],
)
def test_authenticate(world: World, exchange: tuple[bytes, ...]) -> None:
    async def work(server: Server) -> bytes:
        async with server.connect() as client:
            for line in exchange[:-1]:
                await client.send(line + b"\r\n")
                assert (await client.line()).startswith(b"+ ")
            await client.send(exchange[-1] + b"\r\n")
            return await client.line()

    assert world.run(work).startswith(b"a OK [CAPABILITY IMAP4rev1")


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (b"*", b"a BAD"),
        (b"???", b"a BAD"),
        (b64encode(b"\0ada"), b"a BAD"),
        (b64encode(b"bob@demo.test\0%b\0x" % USER.encode()), b"a NO [AUTHORIZATIONFAILED]"),
        (b64encode(b"\0%b\0wrong" % USER.encode()), b"a NO [AUTHENTICATIONFAILED]"),
    ],
)
def test_authenticate_fails(world: World, response: bytes, answer: bytes) -> None:
    async def work(server: Server) -> bytes:
        async with server.connect() as client:
            await client.send(b"a AUTHENTICATE PLAIN\r\n%b\r\n" % response)
            assert await client.line() == b"+ "
            line = await client.line()
            assert (await client.ok(b"NOOP")) == []
            return line

    assert world.run(work).startswith(answer)


def test_guessing_ends_the_connection(world: World) -> None:
    world.limit(auth_per_connection=2)

    async def work(server: Server) -> None:
        async with server.connect() as client:
            assert (await client.do(b"LOGIN nobody@demo.test x"))[-1].startswith(b"NO [AUTHENTICATIONFAILED]")
            assert (await client.do(b"LOGIN nobody@demo.test y"))[-1].startswith(b"NO [AUTHENTICATIONFAILED]")
            assert (await client.rest()).startswith(b"* BYE")

    world.run(work)


def test_a_stranger_may_not_chatter_for_ever(world: World) -> None:
    world.limit(junk_commands=3)

    async def work(server: Server) -> None:
        async with server.connect() as client:
            await client.send(b"a NOOP\r\nb NOOP\r\nc NOOP\r\nd NOOP\r\n")
            lines = (await client.rest()).split(b"\r\n")
            assert [line[:5] for line in lines] == [b"a OK ", b"b OK ", b"c OK ", b"* BYE", b""]

    world.run(work)


def test_a_user_has_so_many_sessions(world: World) -> None:
    world.limit(imap_sessions_per_user=1, uncounted_addresses=())

    async def talk(server: Server, _: Client) -> None:
        async with server.connect() as second:
            (answer,) = await second.do(b'LOGIN %b "%b"' % (USER.encode(), PASSWORD.encode()))
            assert answer.startswith(b"NO [LIMIT]")

    world.talk(talk)


@pytest.mark.parametrize("limit", ["greeting_timeout", "command_timeout"])
def test_silence_ends_a_session_before_log_in(world: World, limit: str) -> None:
    world.limit(**{limit: 0})

    async def work(server: Server) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.tls_port, ssl=trusting())
        try:
            if limit == "command_timeout":
                writer.write(b"a NOOP\r\n")
            return await reader.read()
        finally:
            writer.close()

    assert world.run(work).endswith(b"* BYE nothing came for too long\r\n")


def test_a_stopping_server_says_goodbye(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        for connection in server.connections:
            connection.drain()
        assert (await client.rest()).startswith(b"* BYE [UNAVAILABLE]")

    world.talk(talk)


def test_who_is_in_the_middle_of_a_command_hears_it_when_the_time_is_up(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.send(b"a APPEND INBOX {100}\r\n")
        assert (await client.line()).startswith(b"+ ")
        for last_call in (False, True):
            for connection in server.connections:
                connection.drain(last_call=last_call)
            await asyncio.sleep(0)
        assert (await client.rest()).startswith(b"* BYE [UNAVAILABLE]")

    world.talk(talk)


def test_id_namespace_enable(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        (line,) = await client.ok(b'ID ("name" "test" "version" NIL)')
        assert line.startswith(b'ID ("name" "postroad" "version" ')
        assert await client.ok(b"NAMESPACE") == [
            b'NAMESPACE (("" "/")) (("Other Users/" "/")) (("Shared/" "/"))'
        ]
        assert await client.ok(b"ENABLE X-NOTHING") == [b"ENABLED"]

    world.talk(talk)


def test_commands_in_the_wrong_state(world: World) -> None:
    async def work(server: Server) -> None:
        async with server.connect() as client:
            assert (await client.do(b"SELECT INBOX"))[-1].startswith(b"BAD")
            await client.login()
            assert (await client.do(b"FETCH 1 FLAGS"))[-1].startswith(b"BAD")
            assert (await client.do(b"LOGIN a b"))[-1].startswith(b"BAD")
            assert (await client.do(b"XYZZY"))[-1].startswith(b"BAD")

    world.run(work)


def test_pipelined_commands_are_answered_in_order(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.send(b"a SELECT INBOX\r\nb NOOP\r\nc CLOSE\r\nd LOGOUT\r\n")
        lines = (await client.rest()).split(b"\r\n")
        tagged = [line[:4] for line in lines if line[1:2] == b" " and line[:1] != b"*"]
        assert tagged == [b"a OK", b"b OK", b"c OK", b"d OK"]

    world.talk(talk)


def test_unauthenticate_counts_the_session_off(world: World) -> None:
    world.limit(imap_sessions_per_user=1, uncounted_addresses=())

    async def talk(server: Server, client: Client) -> None:
        async with server.connect() as other:
            refused = await other.do(b'LOGIN %b "%b"' % (USER.encode(), PASSWORD.encode()))
            assert refused[-1].startswith(b"NO [LIMIT]")
            await client.ok(b"UNAUTHENTICATE")
            await other.login()
            assert (await client.do(b'LIST "" *'))[-1].startswith(b"BAD")

    world.talk(talk)
