"""APPEND (RFC 3501 §6.3.11, RFC 4315, RFC 7888, RFC 7889)."""

import asyncio

from postroad.imap.message_limit import APPEND_MOST
from tests.unit.imap.world import Client, Server, World, message


def test_append_with_everything(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        octets = message()
        await client.send(
            b'a APPEND Drafts (\\Draft $Mine) "17-Jul-1996 02:44:25 -0700" {%d}\r\n' % len(octets)
        )
        assert (await client.line()).startswith(b"+ ")
        await client.send(octets + b"\r\n")
        drafts = server.account.mailbox("Drafts")
        assert drafts is not None
        assert (await client.line()).startswith(b"a OK [APPENDUID %d 1]" % drafts.uidvalidity)
        await client.ok(b"EXAMINE Drafts")
        assert await client.ok(b"FETCH 1 (FLAGS INTERNALDATE BODY[])") == [
            b'1 FETCH (FLAGS (\\Draft $Mine \\Recent) INTERNALDATE "17-Jul-1996 09:44:25 +0000"'
            b" BODY[] {%d}\r\n%b)" % (len(octets), octets)
        ]

    world.talk(talk)


def test_append_to_the_selected_mailbox(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        octets = message()
        lines = await client.ok(b"APPEND INBOX {%d+}\r\n%b" % (len(octets), octets))
        assert lines == [b"1 EXISTS", b"1 RECENT"]

    world.talk(talk)


def test_refusals_come_before_the_message(world: World) -> None:
    world.limit(message_size=1000)

    async def talk(server: Server, client: Client) -> None:
        for command, answer in (
            (b"APPEND Nowhere {10}", b"NO [TRYCREATE]"),
            (b"APPEND INBOX {1001}", b"NO [TOOBIG]"),
            (b"APPEND INBOX {0}", b"NO "),
            (b"APPEND INBOX ~{0}", b"NO "),
        ):
            assert (await client.do(command))[-1].startswith(answer)
        await server.store.database.write(lambda tx: tx.run("UPDATE account SET quota_bytes = 9"))
        assert (await client.do(b"APPEND INBOX {10}"))[-1].startswith(b"NO [OVERQUOTA]")
        assert await client.ok(b"NOOP") == []

    world.talk(talk)


def test_refused_messages_that_come_all_the_same_are_dropped(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        assert (await client.append(b"x LOGOUT\r\n", b"Nowhere")).startswith(b"NO [TRYCREATE]")
        assert await client.ok(b"NOOP") == []

    world.talk(talk)


def test_what_has_no_place_in_a_message(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        assert (await client.append(b"Subject: a\0b\r\n\r\n")).startswith(b"NO ")
        assert (await client.do(b"APPEND INBOX {3+}\r\nabc more"))[-1].startswith(b"BAD")
        assert await client.ok(b"STATUS INBOX (MESSAGES)") == [b"STATUS INBOX (MESSAGES 0)"]

    world.talk(talk)


def test_a_message_that_does_not_fit_in_memory(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        octets = message(body="0123456789abcdef\r\n" * 200_000)
        assert b"APPENDUID" in await client.append(octets)
        await client.ok(b"SELECT INBOX")
        assert await client.ok(b"FETCH 1 BODY.PEEK[]") == [
            b"1 FETCH (BODY[] {%d}\r\n%b)" % (len(octets), octets)
        ]

    world.talk(talk)


def test_a_client_that_leaves_in_the_middle(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.send(b"a APPEND INBOX {1000+}\r\nSubject: hal")
        client.writer.close()
        while not server.connections[0].closed:
            await asyncio.sleep(0)
        inbox = server.account.mailbox("INBOX")
        assert inbox is not None
        assert inbox.messages == 0

    world.talk(talk)


def test_many_messages_that_do_not_fit_in_memory(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        octets = [message(f"number {n}", f"{n}\r\n" * 20_000) for n in range(5)]
        together = b" ".join(b"{%d+}\r\n%b" % (len(one), one) for one in octets)
        await client.ok(b"APPEND INBOX " + together)
        await client.ok(b"EXAMINE INBOX")
        fetched = await client.ok(b"FETCH 1:* (BODY.PEEK[])")
        assert [line.partition(b"\r\n")[2][:-1] for line in fetched] == octets

    world.talk(talk)


def test_many_messages_of_which_one_is_over_the_quota(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.store.database.write(lambda tx: tx.run("UPDATE account SET quota_bytes = 15"))
        assert (await client.do(b"APPEND INBOX {10+}\r\n0123456789 {10}"))[-1].startswith(b"NO [OVERQUOTA]")
        # Those that came in between took the room.
        await server.store.database.write(
            lambda tx: tx.run("UPDATE account SET quota_bytes = NULL, quota_messages = 1")
        )
        assert (await client.do(b"APPEND INBOX {1+}\r\na {1+}\r\nb"))[-1].startswith(b"NO [OVERQUOTA]")
        assert b"MESSAGES 0 UIDNEXT 1" in (await client.ok(b"STATUS INBOX (MESSAGES UIDNEXT)"))[0]

    world.talk(talk)


def test_a_command_has_so_many_messages(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        most = b" ".join([b"{1+}\r\nx"] * APPEND_MOST)
        refused = (await client.do(b"APPEND INBOX " + most + b" {1+}\r\nx"))[-1]
        assert refused.startswith(b"NO [MESSAGELIMIT 1000]")  # RFC 9738 §3.1
        await client.ok(b"APPEND INBOX " + most)
        assert b"MESSAGES 1000" in (await client.ok(b"STATUS INBOX (MESSAGES)"))[0]

    world.talk(talk)
