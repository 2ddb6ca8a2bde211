"""Annotations of messages: what they cost where there are none, and others' news (RFC 5257)."""

import re

from postroad.model.annotation import Annotation
from tests.unit.imap.world import Client, Server, World, message

HOT = (
    *(b"SELECT INBOX", b"FETCH 1:* (FLAGS)", b"FETCH 1:* (ENVELOPE)", b"STORE 1:2 +FLAGS (\\Flagged)"),
    *(b"UID STORE 1:2 -FLAGS.SILENT (\\Flagged)", b"COPY 1:2 Trash", b"MOVE 3 Trash", b"NOOP"),
)


def numbers(lines: list[bytes]) -> list[int]:
    """What a SEARCH has found."""
    return [int(word) for word in lines[0].split()[1:]]


def asked_of(server: Server) -> list[str]:
    """Every statement from now on, those of triggers too."""
    asked: list[str] = []

    def note(_cursor: object, sql: str, _bindings: object) -> bool:
        asked.append(sql)
        return True

    for connection in (server.store.database._reader, server.store.database._writer):
        connection.exec_trace = note
    return asked


def test_who_notes_nothing_pays_nothing(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message("one"), message("two"), message("three"))
        asked = asked_of(server)
        for command in HOT:
            await client.ok(command)
        assert asked
        assert not [sql for sql in asked if re.search("message_annotation|annotation_use", sql)]
        # Another mailbox's are nobody's business here, and these are looked at.
        await client.ok(b'STORE 1 ANNOTATION (/comment (value.priv "x"))')
        asked.clear()
        await client.ok(b"COPY 1 Trash")
        assert [sql for sql in asked if "message_annotation" in sql]
        await client.ok(b"SELECT Drafts")
        await client.append(message("four"), b"Drafts")
        asked.clear()
        await client.ok(b"COPY 1 Sent")
        await client.ok(b"MOVE 1 Sent")
        assert not [sql for sql in asked if "message_annotation" in sql]

    world.talk(talk)


def test_a_large_mailbox_is_annotated_and_told_in_parts(world: World) -> None:
    """More messages than go in one transaction, and more in values than is read at a time."""

    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message(str(number)) for number in range(1030)])
        await client.ok(b"SELECT INBOX (ANNOTATE)")
        told = await client.ok(b'STORE 1:* ANNOTATION (/comment (value.shared "%b"))' % (b"x" * 2000))
        assert not [line for line in told if b"ANNOTATION" in line]
        lines = await client.ok(b"UID FETCH 1:* (ANNOTATION (/comment (size value.shared)))")
        assert len(lines) == 1030
        assert all(line.endswith(b"x" * 2000 + b")))") for line in lines)
        assert [int(line.split()[0]) for line in lines] == list(range(1, 1031))
        assert numbers(await client.ok(b'SEARCH ANNOTATION /comment value "xx"')) == list(range(1, 1031))
        account = server.account
        await account.annotate(1, [(7, 9)], [Annotation("/comment", False, None)])
        told = await client.ok(b"NOOP")
        assert [line.partition(b" ")[0] for line in told] == [b"7", b"8", b"9"]
        assert all(line.endswith(b"ANNOTATION (/comment))") for line in told)
        assert numbers(await client.ok(b"SEARCH ANNOTATION /comment value NIL")) == [7, 8, 9]

    world.talk(talk)


def test_two_workers_hear_of_each_others_notes(world: World) -> None:
    async def work(server: Server) -> None:
        async with world.server(1) as other, server.client() as one, other.client() as two:
            await server.inbox(message("one"))
            await one.ok(b"SELECT INBOX (ANNOTATE)")
            await two.ok(b"SELECT INBOX")
            await one.send(b"i IDLE\r\n")
            await one.line()
            await two.ok(b'STORE 1 ANNOTATION (/comment (value.priv "x"))')
            assert await one.line() == b"* 1 FETCH (FLAGS (\\Recent) ANNOTATION (/comment))"

    world.run(work)
