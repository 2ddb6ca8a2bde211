"""REPLACE: one step, with the quota judged by what is more (RFC 8508)."""

from tests.unit.imap.world import Client, Server, World, message


async def limit(server: Server, octets: int) -> None:
    await server.store.database.write(lambda tx: tx.run("UPDATE account SET quota_bytes = ?", octets))


def test_only_what_is_more_counts(world: World) -> None:
    old = message(body="x" * 5000)

    async def talk(server: Server, client: Client) -> None:
        await server.inbox(old)
        await client.ok(b"SELECT INBOX")
        await limit(server, len(old) + 10)
        assert (await client.append(old)).startswith(b"NO [OVERQUOTA]")
        new = old + b"y" * 10
        lines = await client.ok(b"REPLACE 1 INBOX {%d+}\r\n%b" % (len(new), new))
        assert lines[1:] == [b"1 EXPUNGE", b"1 EXISTS", b"1 RECENT"]
        too_much = new + b"z"
        refused = await client.do(b"REPLACE 1 INBOX {%d}" % len(too_much))
        assert refused == [b"NO [OVERQUOTA] there is no room left in the account"]
        assert await client.ok(b"STATUS INBOX (MESSAGES SIZE)") == [
            b"STATUS INBOX (MESSAGES 1 SIZE %d)" % len(new)
        ]
        assert server.account.quota().bytes_used == len(new)

    world.talk(talk)


def test_the_old_one_stays_where_the_new_one_cannot_be_filed(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"SELECT INBOX")
        octets = message()
        keyword = b"k" * 101
        answer = await client.do(b"REPLACE 1 INBOX (%b) {%d+}\r\n%b" % (keyword, len(octets), octets))
        assert answer == [b"NO [LIMIT] that is more than this server keeps"]
        assert await client.ok(b"FETCH 1 UID") == [b"1 FETCH (UID 1)"]

    world.talk(talk)


def test_a_message_that_goes_meanwhile(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"SELECT INBOX")
        await client.send(b"a REPLACE 1 INBOX {5}\r\n")
        assert await client.line() == b"+ go ahead"
        inbox = server.account.mailbox("INBOX")
        assert inbox is not None
        await server.account.expunge(inbox.id, ((1, 1),), only_deleted=False)
        await client.send(b"A: b\n\r\n")
        assert await client.until(b"a") == [
            b"* 1 EXPUNGE",
            b"* 0 RECENT",
            b"a NO [EXPUNGEISSUED] some of these messages have been deleted",
        ]
        assert await client.ok(b"STATUS INBOX (MESSAGES)") == [b"STATUS INBOX (MESSAGES 0)"]

    world.talk(talk)


def test_with_qresync_it_is_vanished(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"ENABLE QRESYNC")
        await client.ok(b"SELECT INBOX")
        octets = message()
        lines = await client.do(b"UID REPLACE 1 INBOX {%d+}\r\n%b" % (len(octets), octets))
        assert b"* VANISHED 1" in lines
        assert lines[-1].startswith(b"OK [HIGHESTMODSEQ ")

    world.talk(talk)
