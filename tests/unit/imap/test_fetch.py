"""FETCH (RFC 3501 §6.4.5)."""

import pytest

from postroad.model.flags import Flag
from tests.unit.imap.world import Client, Server, World, message

NESTED = (
    b"From: Ada <ada@demo.test>\r\nSubject: outer\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\npreamble\r\n'
    b"--b\r\nContent-Type: text/plain\r\nX-Part: one\r\n\r\nfirst\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"From: Bob <bob@demo.test>\r\nSubject: inner\r\n\r\ninside\r\n"
    b"--b--\r\n"
)
INNER = b"From: Bob <bob@demo.test>\r\nSubject: inner\r\n\r\n"


@pytest.mark.parametrize(
    ("section", "octets"),
    [
        (b"", NESTED),
        (b"HEADER", NESTED[: NESTED.index(b"preamble")]),
        (b"TEXT", NESTED[NESTED.index(b"preamble") :]),
        (b"1", b"first"),
        (b"1.MIME", b"Content-Type: text/plain\r\nX-Part: one\r\n\r\n"),
        (b"2", INNER + b"inside"),
        (b"2.MIME", b"Content-Type: message/rfc822\r\n\r\n"),
        (b"2.HEADER", INNER),
        (b"2.TEXT", b"inside"),
        (b"2.1", b"inside"),
        (b"HEADER.FIELDS (SUBJECT X-Gone)", b"Subject: outer\r\n\r\n"),
        (b"2.HEADER.FIELDS.NOT (From)", b"Subject: inner\r\n\r\n"),
    ],
)
def test_sections(world: World, section: bytes, octets: bytes) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(NESTED)
        await client.ok(b"EXAMINE INBOX")
        assert await client.ok(b"FETCH 1 BODY[%b]" % section) == [
            b"1 FETCH (BODY[%b] {%d}\r\n%b)" % (section, len(octets), octets)
        ]
        assert await client.ok(b"FETCH 1 BODY[%b]<3.4>" % section) == [
            b"1 FETCH (BODY[%b]<3> {%d}\r\n%b)" % (section, len(octets[3:7]), octets[3:7])
        ]

    world.talk(talk)


@pytest.mark.parametrize("section", [b"3", b"1.HEADER", b"1.TEXT", b"2.2", b"1.1.1"])
def test_sections_that_are_not_there(world: World, section: bytes) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(NESTED)
        await client.ok(b"EXAMINE INBOX")
        assert await client.ok(b"FETCH 1 BODY[%b]" % section) == [b"1 FETCH (BODY[%b] NIL)" % section]

    world.talk(talk)


def test_rfc822_items(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"SELECT INBOX")
        whole = message()
        head = whole[: whole.index(b"\r\n\r\n") + 4]
        assert await client.ok(b"FETCH 1 RFC822.HEADER") == [
            b"1 FETCH (RFC822.HEADER {%d}\r\n%b)" % (len(head), head)
        ]
        assert await client.ok(b"FETCH 1 RFC822.TEXT") == [
            b"1 FETCH (RFC822.TEXT {5}\r\nHi.\r\n FLAGS (\\Seen \\Recent))"
        ]
        assert await client.ok(b"FETCH 1 RFC822") == [b"1 FETCH (RFC822 {%d}\r\n%b)" % (len(whole), whole)]

    world.talk(talk)


def test_a_partial_beyond_the_end_is_empty(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"EXAMINE INBOX")
        assert await client.ok(b"FETCH 1 BODY[TEXT]<99.5>") == [b"1 FETCH (BODY[TEXT]<99> {0}\r\n)"]

    world.talk(talk)


def test_the_macros(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"EXAMINE INBOX")
        (fast,) = await client.ok(b"FETCH 1 FAST")
        size = b"RFC822.SIZE %d" % len(message())
        assert fast.startswith(b'1 FETCH (FLAGS (\\Recent) INTERNALDATE "')
        assert fast.endswith(size + b")")
        (everything,) = await client.ok(b"FETCH 1 ALL")
        assert size + b' ENVELOPE (NIL "hello" (("Bob" NIL "bob" "demo.test"))' in everything
        (full,) = await client.ok(b"FETCH 1 FULL")
        assert b' BODY ("text" "plain" ("charset" "us-ascii")' in full.lower().replace(b"body", b"BODY")

    world.talk(talk)


def test_bodystructure_and_internaldate(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        octets = message()
        date = b'" 1-Feb-2024 03:04:05 +0200"'
        await client.do(b"APPEND INBOX %b {%d+}\r\n%b" % (date, len(octets), octets))
        await client.ok(b"SELECT INBOX")
        (line,) = await client.ok(b"UID FETCH 1 (BODYSTRUCTURE INTERNALDATE)")
        assert line.startswith(b'1 FETCH (UID 1 BODYSTRUCTURE ("')
        assert line.endswith(b'INTERNALDATE " 1-Feb-2024 01:04:05 +0000")')

    world.talk(talk)


def test_reading_sets_seen_and_says_so(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message(), message(), message())
        await client.ok(b"SELECT INBOX")
        await client.ok(b"UNSELECT")
        await client.ok(b"SELECT INBOX")
        assert await client.ok(b"FETCH 1 BODY.PEEK[TEXT]") == [b"1 FETCH (BODY[TEXT] {5}\r\nHi.\r\n)"]
        assert await client.ok(b"FETCH 1 BODY[TEXT]") == [
            b"1 FETCH (BODY[TEXT] {5}\r\nHi.\r\n FLAGS (\\Seen))"
        ]
        assert await client.ok(b"FETCH 1 BODY[TEXT]") == [b"1 FETCH (BODY[TEXT] {5}\r\nHi.\r\n)"]
        assert await client.ok(b"FETCH 2 (FLAGS BODY[TEXT])") == [
            b"2 FETCH (FLAGS (\\Seen) BODY[TEXT] {5}\r\nHi.\r\n)"
        ]
        assert await client.ok(b"NOOP") == []
        assert await client.ok(b"SEARCH UNSEEN") == [b"SEARCH 3"]

    world.talk(talk)


def test_uid_fetch(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message()] * 5)
        await client.ok(b"SELECT INBOX")
        await client.ok(b"STORE 1,3 +FLAGS.SILENT (\\Deleted)")
        await client.ok(b"EXPUNGE")
        assert await client.ok(b"UID FETCH 1:4 UID") == [b"1 FETCH (UID 2)", b"2 FETCH (UID 4)"]
        assert await client.ok(b"UID FETCH 99:* (UID)") == [b"3 FETCH (UID 5)"]
        assert await client.ok(b"UID FETCH 1,3,99 UID") == []
        assert await client.ok(b"FETCH *:2 UID") == [b"2 FETCH (UID 4)", b"3 FETCH (UID 5)"]

    world.talk(talk)


@pytest.mark.parametrize("numbers", [b"2", b"1:2", b"1,2"])
def test_numbers_that_no_message_has(world: World, numbers: bytes) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"SELECT INBOX")
        assert (await client.do(b"FETCH %b FLAGS" % numbers))[-1].startswith(b"BAD")

    world.talk(talk)


def test_an_empty_mailbox_has_no_numbers(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        assert (await client.do(b"FETCH 1:* FLAGS"))[-1].startswith(b"BAD")
        assert await client.ok(b"UID FETCH 1:* FLAGS") == []

    world.talk(talk)


def test_a_message_that_others_have_expunged(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message(), message(), message())
        await client.ok(b"SELECT INBOX")
        async with server.client() as other:
            await other.ok(b"SELECT INBOX")
            await other.ok(b"STORE 2 +FLAGS (\\Deleted)")
            await other.ok(b"EXPUNGE")
        assert await client.ok(b"FETCH 2 UID") == [b"2 FETCH (UID 2)"]  # that much is known to the session
        lines = await client.do(b"FETCH 1:3 (UID RFC822.SIZE)")
        assert lines == [
            b"* 1 FETCH (UID 1 RFC822.SIZE %d)" % len(message()),
            b"* 3 FETCH (UID 3 RFC822.SIZE %d)" % len(message()),
            b"NO [EXPUNGEISSUED] some of these messages have been deleted",
        ]
        lines = await client.do(b"FETCH 2 BODY[]")
        assert lines == [b"NO [EXPUNGEISSUED] some of these messages have been deleted"]
        assert await client.ok(b"UID FETCH 2 FLAGS") == [b"2 EXPUNGE", b"2 RECENT"]
        assert await client.ok(b"FETCH 1:2 UID") == [b"1 FETCH (UID 1)", b"2 FETCH (UID 3)"]

    world.talk(talk)


def test_a_large_message_and_many_small_ones(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        body = "".join(f"line {number:06}\r\n" for number in range(100_000))
        large = message(body=body)
        await server.inbox(large, *[message(str(n)) for n in range(2500)])
        await client.ok(b"SELECT INBOX")
        assert await client.ok(b"FETCH 1 BODY.PEEK[]") == [
            b"1 FETCH (BODY[] {%d}\r\n%b)" % (len(large), large)
        ]
        lines = await client.ok(b"FETCH 2:* (UID BODY.PEEK[HEADER.FIELDS (Subject)])")
        assert lines == [
            b"%d FETCH (UID %d BODY[HEADER.FIELDS (Subject)] {%d}\r\nSubject: %d\r\n\r\n)"
            % (n + 2, n + 2, 13 + len(str(n)), n)
            for n in range(2500)
        ]
        assert len(await client.ok(b"FETCH 1:* (FLAGS)")) == 2501
        every_other = b",".join(b"%d" % n for n in range(2, 2502, 2))
        assert len(await client.ok(b"FETCH %b (UID ENVELOPE)" % every_other)) == 1250

    world.talk(talk)


def test_a_new_keyword_is_announced_before_it_is_shown(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"SELECT INBOX")
        async with server.client() as other:
            await other.ok(b"SELECT INBOX")
            await other.ok(b"STORE 1 +FLAGS.SILENT ($Label1)")
        lines = await client.ok(b"FETCH 1 FLAGS")
        assert lines[0] == b"FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Label1)"
        assert lines[2:] == [b"1 FETCH (FLAGS ($Label1 \\Recent))"]
        assert await client.ok(b"NOOP") == []

    world.talk(talk)


def test_flags_in_their_order(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message(), flags=Flag.SEEN | Flag.FLAGGED | Flag.ANSWERED)
        await client.ok(b"EXAMINE INBOX")
        assert await client.ok(b"FETCH 1 FLAGS") == [
            b"1 FETCH (FLAGS (\\Answered \\Flagged \\Seen \\Recent))"
        ]

    world.talk(talk)
