"""How many messages one command works on (RFC 9738)."""

from pathlib import Path

from tests.unit.imap.world import Client, Server, World, message


def test_without_limits_nothing_is_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.limit(imap_message_limit=0, imap_save_limit=0)

    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message()] * 3)
        told = await client.ok(b"CAPABILITY")
        assert b"MESSAGELIMIT" not in told[0]
        assert b"SAVELIMIT" not in told[0]
        await client.ok(b"SELECT INBOX")
        assert len(await client.ok(b"FETCH 1:* UID")) == 3
        await client.ok(b"COPY 1:* Archive")
        assert (await client.do(b"APPEND INBOX" + b" {1+}\r\nx" * 1001))[-1].startswith(b"NO [LIMIT]")

    world.talk(talk)


def test_a_smaller_limit_for_what_is_copied_is_told_beside_the_other(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.limit(imap_message_limit=3, imap_save_limit=1)

    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message()] * 2)
        assert b" MESSAGELIMIT=3 SAVELIMIT=1 " in (await client.ok(b"CAPABILITY"))[0]
        await client.ok(b"SELECT INBOX")
        assert (await client.do(b"COPY 1:2 Archive"))[-1].startswith(b"NO [MESSAGELIMIT 1 2]")
        parts = b'CATENATE (URL "/INBOX/;UID=1") CATENATE (URL "/INBOX/;UID=1")'
        assert (await client.do(b"APPEND Archive " + parts))[-1].startswith(b"NO [MESSAGELIMIT 1]")

    world.talk(talk)


def test_uids_are_counted_from_above_over_gaps(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.limit(imap_message_limit=3)

    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message()] * 9)
        await client.ok(b"SELECT INBOX")
        await client.ok(b"UID STORE 3,6:7 +FLAGS.SILENT (\\Deleted)")
        await client.ok(b"EXPUNGE")
        lines = await client.do(b"UID FETCH 1:4,8:20 UID")
        assert [line.split()[-1] for line in lines[:-1]] == [b"9)", b"8)", b"4)"]
        assert lines[-1].startswith(b"OK [MESSAGELIMIT 3 4]")

    world.talk(talk)


def test_what_has_not_changed_does_not_count(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.limit(imap_message_limit=2)

    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message()] * 4)
        told = await client.ok(b"SELECT INBOX (CONDSTORE)")
        modseq = next(line for line in told if b"HIGHESTMODSEQ" in line).split(b"]")[0].split()[-1]
        await client.ok(b"STORE 1 +FLAGS.SILENT (\\Seen)")
        lines = await client.do(b"FETCH 1:* (UID) (CHANGEDSINCE %b)" % modseq)
        assert len(lines) == 2
        assert lines[-1] == b"OK done"

    world.talk(talk)
