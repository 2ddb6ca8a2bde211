"""URLs that others may use: made, believed, withdrawn (RFC 4467, RFC 5524)."""

import base64

import pytest

from postroad.directory.accounts import add_account
from postroad.directory.credentials import LEAST_COST, Hasher, set_password
from tests.unit.imap.world import PASSWORD, Client, Server, World, message

TEXT = message("for you", "Si vis pacem, para bellum.\r\n")
PARTS = (
    b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"hello world") + b"\r\n--b\r\n"
    b"Content-Transfer-Encoding: x-odd\r\n\r\nodd\r\n--b\r\nContent-Type: image/x\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--b--\r\n"
)
STRUCTURE = b'("text" "plain" ("charset" "us-ascii") NIL NIL "%b" %d 0 NIL NIL NIL NIL)'
MAILBOX = b"imap://ada%40demo.test@localhost/INBOX/"


def test_other_sessions_of_the_mailbox_hear_of_a_new_key(world: World) -> None:
    async def work(server: Server) -> None:
        await server.inbox(TEXT)
        told = b"OK [URLMECH INTERNAL] a new key"
        async with server.client() as one, server.client() as other, world.server(1) as second:
            url = await authorize(one, MAILBOX + b";UID=1;URLAUTH=authuser")
            await one.ok(b"SELECT INBOX")
            await other.ok(b"SELECT INBOX")
            async with second.client() as third:
                await third.ok(b"EXAMINE INBOX")
                await third.send(b"i IDLE\r\n")
                assert await third.line() == b"+ idling"
                assert await one.do(b"RESETKEY INBOX") == [told]
                assert await one.ok(b"NOOP") == []
                lead = await other.ok(b"URLFETCH " + url)
                assert [lead[0].endswith(b" NIL"), *lead[1:]] == [True, told]
                assert await third.line() == b"* " + told
            await one.ok(b"RESETKEY Drafts")
            assert await other.ok(b"NOOP") == []
            await one.ok(b"RESETKEY INBOX INTERNAL")
            assert await other.ok(b"NOOP") == [told]

    world.run(work)


async def authorize(client: Client, url: bytes) -> bytes:
    """Let a URL be authorized; gives it as it has to be quoted."""
    [line] = await client.ok(b'GENURLAUTH "%b" INTERNAL' % url)
    return line.removeprefix(b"GENURLAUTH ")


async def fetched(client: Client, url: bytes) -> bytes:
    """What URLFETCH gives behind the URL itself."""
    [line] = await client.ok(b"URLFETCH " + url)
    return line.removeprefix(b"URLFETCH " + url.strip(b"()").split(b" ")[0] + b" ")


async def bob(server: Server, client: Client) -> None:
    hashed = Hasher(LEAST_COST).hash(PASSWORD)
    await server.store.database.write(lambda tx: add_account(tx, "bob@demo.test", who="test"))
    await server.store.database.write(lambda tx: set_password(tx, "bob@demo.test", hashed, who="test"))
    await client.ok(b'LOGIN bob@demo.test "%b"' % PASSWORD.encode())


def literal(octets: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(octets), octets)


def test_one_writes_another_reads(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(TEXT)
        url = await authorize(client, MAILBOX + b";UID=1/;SECTION=TEXT;URLAUTH=user+bob%40demo.test")
        own = await authorize(client, MAILBOX + b";UID=1;URLAUTH=user+ada%40demo.test")
        anybody = await authorize(client, MAILBOX + b";UID=1/;PARTIAL=0.4;URLAUTH=authuser")
        assert await fetched(client, url) == b"NIL"
        assert await fetched(client, own) == literal(TEXT)
        async with server.connect() as other:
            await bob(server, other)
            assert await fetched(other, url) == literal(b"Si vis pacem, para bellum.\r\n")
            assert await fetched(other, own) == b"NIL"
            assert await fetched(other, anybody) == literal(TEXT[:4])
            assert await fetched(other, anybody.replace(b"PARTIAL=0.4", b"PARTIAL=0.5")) == b"NIL"
            await client.ok(b"RESETKEY Drafts")
            assert await fetched(other, anybody) != b"NIL"
            assert (await client.do(b"RESETKEY INBOX")) == [b"OK [URLMECH INTERNAL] a new key"]
            assert await fetched(other, anybody) == b"NIL"
        await client.ok(b"SELECT INBOX")
        assert await client.ok(b"FETCH 1 FLAGS") == [b"1 FETCH (FLAGS (\\Recent))"]

    world.talk(talk)


def test_all_keys_at_once(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(TEXT)
        url = await authorize(client, MAILBOX + b";UID=1;URLAUTH=anonymous")
        assert await fetched(client, url) == literal(TEXT)
        await client.ok(b"RESETKEY")
        assert await fetched(client, url) == b"NIL"

    world.talk(talk)


@pytest.mark.parametrize(
    "rest",
    [
        b";UID=2;URLAUTH=anonymous",
        b";UID=1;EXPIRE=2001-01-01T00:00:00Z;URLAUTH=anonymous",
        b";UID=1;URLAUTH=submit+ada%40demo.test",
        b";UID=1;URLAUTH=user+nobody%40demo.test",
        b";UID=1;URLAUTH=user+anyone",
        b";UID=1/;SECTION=9;URLAUTH=anonymous",
    ],
)
def test_what_leads_nowhere(world: World, rest: bytes) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(TEXT)
        assert await fetched(client, await authorize(client, MAILBOX + rest)) == b"NIL"

    world.talk(talk)


def test_a_url_that_has_not_expired(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(TEXT)
        url = await authorize(client, MAILBOX + b";UID=1;EXPIRE=2999-01-01T00:00:00Z;URLAUTH=anonymous")
        assert await fetched(client, url) == literal(TEXT)

    world.talk(talk)


@pytest.mark.parametrize(
    "url",
    [
        b"/INBOX/;UID=1;URLAUTH=anonymous",
        MAILBOX + b";UID=1",
        b"imap://ada%40demo.test@localhost/INBOX;URLAUTH=anonymous",
        b"imap://ada%40demo.test@localhost/Nowhere/;UID=1;URLAUTH=anonymous",
        b"imap://ada%40demo.test@other.test/INBOX/;UID=1;URLAUTH=anonymous",
        b"imap://bob%40demo.test@localhost/INBOX/;UID=1;URLAUTH=anonymous",
        b"imap://localhost/INBOX/;UID=1;URLAUTH=anonymous",
        MAILBOX + b";UID=1;URLAUTH=user+",
        MAILBOX + b";UID=1;URLAUTH=everybody",
        MAILBOX + b";UID=1;EXPIRE=soon;URLAUTH=anonymous",
    ],
)
def test_what_is_not_authorized(world: World, url: bytes) -> None:
    async def talk(_: Server, client: Client) -> None:
        assert (await client.do(b'GENURLAUTH "%b" INTERNAL' % url))[-1].startswith(b"BAD ")
        assert (await client.do(b'GENURLAUTH "%b;URLAUTH=anonymous" XSAMPLE' % MAILBOX))[-1].startswith(
            b"BAD "
        )

    world.talk(talk)


def test_user_and_domain_may_stand_as_user_and_server(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(TEXT)
        url = await authorize(client, b"IMAP://ada@demo.test/inbox/;uid=1;urlauth=user+ada@demo.test")
        assert await fetched(client, url) == literal(TEXT)

    world.talk(talk)


def test_parts_decoded(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(PARTS)
        one, odd, image = [
            await authorize(client, MAILBOX + b";UID=1/;SECTION=%d;URLAUTH=authuser" % n) for n in (1, 2, 3)
        ]
        assert await fetched(client, b"(%b BINARY)" % one) == b"(BINARY {11}\r\nhello world)"
        assert await fetched(client, b"(%b BODY)" % one) == b"(BODY {16}\r\naGVsbG8gd29ybGQ=)"
        assert await fetched(client, b"(%b BINARY)" % odd) == b"(BINARY NIL)"
        assert await fetched(client, b"(%b BINARY)" % image) == b"(BINARY ~{3}\r\n\0\1\2)"
        assert await fetched(client, b"(%b BODYPARTSTRUCTURE)" % one) == (
            b"(BODYPARTSTRUCTURE %b)" % STRUCTURE % (b"base64", 16)
        )
        assert await fetched(client, b"(%b BINARY BODYPARTSTRUCTURE)" % one) == (
            b"(BODYPARTSTRUCTURE %b)" % STRUCTURE % (b"7bit", 11) + b" (BINARY {11}\r\nhello world)"
        )
        assert (await client.do(b"URLFETCH (%b BINARY BODY)" % one))[-1].startswith(b"BAD ")
        assert (await client.do(b"URLFETCH (%b SIZE)" % one))[-1].startswith(b"BAD ")

    world.talk(talk)


def test_the_mechanism_is_named_to_the_owner(world: World) -> None:
    told = b"OK [URLMECH INTERNAL] authorizes URLs"

    async def talk(server: Server, client: Client) -> None:
        assert told in await client.ok(b"SELECT INBOX")
        assert told in await client.ok(b"EXAMINE INBOX")
        async with server.connect() as other:
            await bob(server, other)
            await client.ok(b"SETACL INBOX bob@demo.test lr")
            assert told in await other.ok(b"SELECT INBOX")
            assert told not in await other.ok(b'SELECT "Other Users/ada@demo.test/INBOX"')

    world.talk(talk)
