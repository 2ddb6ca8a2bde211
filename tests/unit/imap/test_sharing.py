"""Mailboxes of others: two users on different workers see the same, as far as each may (RFC 4314)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from postroad.directory.accounts import add_account, remove_account, set_quota
from postroad.directory.credentials import LEAST_COST, Hasher, set_password
from postroad.model.flags import Flag
from postroad.store.offline import open_offline
from postroad.store.parts import PART
from tests.unit.imap.world import PASSWORD, USER, Client, Server, World, message
from tests.unit.store.test_rebuild import problems

BOB = "bob@demo.test"
INBOX = b'"Other Users/ada@demo.test/INBOX"'


@pytest.fixture
def world(world: World) -> World:
    """The world of ada, with bob in it and a shared account."""
    hashed = Hasher(LEAST_COST).hash(PASSWORD)
    with open_offline(world.data) as database:
        database.write(lambda tx: add_account(tx, BOB, who="test"))
        database.write(lambda tx: set_password(tx, BOB, hashed, who="test"))
        database.write(lambda tx: add_account(tx, "desk@demo.test", who="test", shared=True))
    return world


def both(world: World, work: Callable[[Server, Client, Client], Awaitable[None]]) -> None:
    """Run `work` with ada at one worker and bob at another."""

    async def served() -> None:
        async with (
            world.server(0) as first,
            world.server(1) as second,
            first.client() as ada,
            second.connect() as bob,
        ):
            await bob.ok(b'LOGIN %b "%b"' % (BOB.encode(), PASSWORD.encode()))
            await work(first, ada, bob)

    asyncio.run(served())


async def share(ada: Client, rights: bytes, mailbox: bytes = b"INBOX", who: bytes = BOB.encode()) -> None:
    await ada.ok(b"SETACL %b %b %b" % (mailbox, who, rights))


def test_sessions_on_different_workers_converge(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        await server.inbox(message("one"), message("two"))
        await share(ada, b"lrswite")
        await ada.ok(b"SELECT INBOX")
        await bob.ok(b"SELECT " + INBOX)
        await bob.ok(b"STORE 1 +FLAGS (\\Seen \\Flagged)")
        assert await ada.ok(b"NOOP") == [b"1 FETCH (FLAGS (\\Flagged \\Recent))"]
        await ada.ok(b"STORE 2 +FLAGS (\\Seen $Forwarded)")
        told = await bob.ok(b"NOOP")
        assert b"2 FETCH (FLAGS ($Forwarded))" in told
        await ada.append(message("three"))
        assert await bob.ok(b"NOOP") == [b"3 EXISTS", b"0 RECENT"]
        await bob.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        assert await bob.ok(b"EXPUNGE") == [b"1 EXPUNGE"]
        assert b"1 EXPUNGE" in await ada.ok(b"NOOP")

    both(world, work)


def test_a_move_of_very_many_tells_what_it_did_before_it_failed(world: World) -> None:
    with open_offline(world.data) as database:
        database.write(lambda tx: set_quota(tx, BOB, who="test", quota_bytes=None, quota_messages=PART + 50))

    async def work(server: Server, ada: Client, bob: Client) -> None:
        await server.inbox(*[message()] * (PART + 100))
        await share(ada, b"lrswite")
        await bob.ok(b"SELECT " + INBOX)
        lines = await bob.do(b"MOVE 1:* INBOX")
        assert b" 1:%d 1:%d] moved" % (PART, PART) in lines[0]
        assert lines[-1].startswith(b"NO [OVERQUOTA]")
        assert len(lines) == PART + 2  # each of them has an EXPUNGE
        assert (await bob.ok(b"UID SEARCH ALL"))[0].split()[1] == b"%d" % (PART + 1)
        assert await bob.ok(b"STATUS INBOX (MESSAGES)") == [b"STATUS INBOX (MESSAGES %d)" % PART]

    both(world, work)


THERE = b'"Other Users/ada@demo.test/'


def test_notify_watches_mailboxes_of_others(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        await server.inbox(message())
        await ada.ok(b"CREATE Plans")
        await share(ada, b"lrsi")
        events = b"(MessageNew MessageExpunge FlagChange MailboxName)"
        told = await bob.ok(
            b'NOTIFY SET STATUS (personal NONE) (subtree "Other Users" %b) (mailboxes Sent NONE)' % events
        )
        assert len(told) == 1
        assert told[0].startswith(b"STATUS " + INBOX + b" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY ")
        await bob.send(b"i IDLE\r\n")
        assert await bob.line() == b"+ idling"
        await ada.append(message("two"))
        assert (await bob.line()).startswith(b"* STATUS " + INBOX + b" (MESSAGES 2 UIDNEXT 3 UNSEEN 2 ")
        await bob.send(b"DONE\r\n")
        await bob.until(b"i")
        # What is one's own doing is not told, what others do besides is.
        await bob.append(message("three"), INBOX)
        assert await bob.ok(b"NOOP") == []
        await ada.ok(b"SELECT INBOX")
        await ada.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await ada.ok(b"EXPUNGE")
        assert (await bob.ok(b"NOOP"))[0].startswith(b"STATUS " + INBOX + b" (MESSAGES 2 UIDNEXT 4 UNSEEN 2 ")
        # A mailbox that is shared from now on, renamed, and withdrawn.
        await share(ada, b"lr", b"Plans")
        shared = await bob.ok(b"NOOP")
        assert b'LIST (\\HasNoChildren) "/" ' + THERE + b'Plans"' in shared
        await ada.ok(b"RENAME Plans Old")
        renamed = await bob.ok(b"NOOP")
        old, new = THERE + b'Plans"', THERE + b'Old"'
        assert b'LIST (\\HasNoChildren) "/" %b ("OLDNAME" (%b))' % (new, old) in renamed
        await ada.ok(b"DELETEACL Old " + BOB.encode())
        assert b'LIST (\\NoAccess) "/" ' + new in await bob.ok(b"NOOP")
        await ada.ok(b"CREATE Elsewhere")
        assert await bob.ok(b"NOOP") == []

    both(world, work)


def test_what_may_only_be_seen_is_not_to_be_selected(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        await bob.ok(b"ENABLE IMAP4rev2")
        await ada.ok(b"CREATE Caf&AOk-")
        await share(ada, b"li", b"Caf&AOk-")
        seen = b'LIST (\\Noselect \\HasNoChildren) "/" ' + THERE + "Caf\u00e9".encode() + b'"'
        assert seen in await bob.ok(b'LIST "" "Other Users/*"')
        said = THERE + "Cafe\u0301".encode() + b'"'
        assert await bob.ok(b"APPEND " + said + b" {5+}\r\nhello") == [seen + b' ("OLDNAME" (' + said + b"))"]

    both(world, work)


def test_notify_of_who_shares_nothing_yet(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        await bob.ok(b"SUBSCRIBE " + INBOX)
        await bob.ok(b"NOTIFY SET (subscribed (MessageNew MessageExpunge MailboxName))")
        await ada.append(message())
        assert await bob.ok(b"NOOP") == []
        await bob.send(b"i IDLE\r\n")
        assert await bob.line() == b"+ idling"
        await share(ada, b"lr")
        listed = await bob.line()
        assert listed.startswith(b"* LIST (")
        assert listed.endswith(INBOX)
        assert (await bob.line()).startswith(b"* STATUS " + INBOX + b" (MESSAGES 1 UIDNEXT 2 ")
        await bob.send(b"DONE\r\n")
        await bob.until(b"i")
        await ada.ok(b"DELETEACL INBOX " + BOB.encode())
        assert b'LIST (\\NoAccess) "/" ' + INBOX in await bob.ok(b"NOOP")
        await ada.append(message())
        assert await bob.ok(b"NOOP") == []

    both(world, work)


def test_notify_of_personal_mailboxes_is_of_no_others(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        await share(ada, b"lr")
        await bob.ok(b"NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))")
        await ada.append(message())
        assert await bob.ok(b"NOOP") == []

    both(world, work)


def test_notify_watches_so_many_mailboxes_of_others(world: World) -> None:
    world.limit(imap_notify_mailboxes=10)

    async def work(server: Server, ada: Client, bob: Client) -> None:
        for n in range(6):
            await ada.ok(b"CREATE A%d" % n)
            await share(ada, b"lr", b"A%d" % n)
        command = b'NOTIFY SET (subtree "Other Users" (MessageNew MessageExpunge MailboxName))'
        await bob.ok(command)
        for n in range(6, 11):
            await ada.ok(b"CREATE A%d" % n)
            await share(ada, b"lr", b"A%d" % n)
        assert (await bob.ok(b"NOOP"))[-1].startswith(b"OK [NOTIFICATIONOVERFLOW]")
        assert (await bob.do(command))[-1].startswith(b"NO [NOTIFICATIONOVERFLOW]")

    both(world, work)


def test_idle_hears_of_others(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        await share(ada, b"lrs")
        await bob.ok(b"SELECT " + INBOX)
        await bob.send(b"i IDLE\r\n")
        assert await bob.line() == b"+ idling"
        await ada.append(message("one"))
        assert [await bob.line(), await bob.line()] == [b"* 1 EXISTS", b"* 0 RECENT"]
        await ada.ok(b"DELETEACL INBOX " + BOB.encode())
        assert (await bob.rest()).startswith(b"* BYE")

    both(world, work)


def test_mod_sequences_of_ones_own_seen(world: World) -> None:
    """What a user has seen is news for that user's other sessions, and for nobody else's."""

    async def work(server: Server, ada: Client, bob: Client) -> None:
        await server.inbox(message("one"), message("two"))
        await share(ada, b"lrs")
        await bob.ok(b"ENABLE QRESYNC")
        opened = await bob.ok(b"SELECT " + INBOX)
        modseq = int(next(line for line in opened if b"HIGHESTMODSEQ" in line).split()[2].rstrip(b"]"))
        [told] = await bob.ok(b"UID STORE 2 +FLAGS (\\Seen)")
        assert told.startswith(b"2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (")
        assert await bob.ok(b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % modseq) == [told]
        assert (await bob.ok(b"SEARCH UNSEEN"))[0].startswith(b"SEARCH 1")
        await ada.ok(b"ENABLE CONDSTORE")
        await ada.ok(b"SELECT INBOX")
        assert await ada.ok(b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE %d)" % modseq) == []
        [conflict] = (await bob.do(b"UID STORE 2 (UNCHANGEDSINCE %d) -FLAGS (\\Seen)" % modseq))[-1:]
        assert conflict.startswith(b"OK [MODIFIED 2]")
        validity = next(line for line in opened if b"UIDVALIDITY" in line).split()[2].rstrip(b"]")
        await bob.ok(b"UNSELECT")
        again = await bob.ok(b"SELECT %b (QRESYNC (%b %d))" % (INBOX, validity, modseq))
        assert told in again
        assert not any(b"UNSEEN 2" in line for line in again)
        assert any(line.startswith(b"OK [UNSEEN 1]") for line in again)

    both(world, work)


def test_reading_marks_as_seen_with_the_right_alone(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        await server.inbox(message("one"))
        await share(ada, b"lr")
        await bob.ok(b"SELECT " + INBOX)
        assert b"FLAGS" not in (await bob.ok(b"FETCH 1 BODY[TEXT]"))[0]
        await share(ada, b"lrs")
        await bob.ok(b"NOOP")
        assert b"FLAGS (\\Seen)" in (await bob.ok(b"FETCH 1 BODY[TEXT]"))[0]
        assert await ada.ok(b"STATUS INBOX (UNSEEN)") == [b"STATUS INBOX (UNSEEN 1)"]

    both(world, work)


def test_appending_keeps_the_flags_that_one_may_set(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        await share(ada, b"lrsi")
        assert b"APPENDUID" in await bob.append(message("one"), INBOX, b"\\Seen \\Flagged \\Deleted $Junk")
        await bob.ok(b"SELECT " + INBOX)
        assert await bob.ok(b"FETCH 1 FLAGS") == [b"1 FETCH (FLAGS (\\Seen))"]
        await ada.ok(b"EXAMINE INBOX")
        assert await ada.ok(b"FETCH 1 FLAGS") == [b"1 FETCH (FLAGS (\\Recent))"]

    both(world, work)


def test_the_owner_pays(world: World) -> None:
    with open_offline(world.data) as database:
        database.write(lambda tx: set_quota(tx, USER, who="test", quota_bytes=5000, quota_messages=None))

    async def work(server: Server, ada: Client, bob: Client) -> None:
        await share(ada, b"lrswite")
        big = message("big", "x" * 3000 + "\r\n")
        assert (await bob.append(big, INBOX)).startswith(b"OK")
        assert b"[OVERQUOTA]" in await bob.append(big, INBOX)
        await bob.append(big)
        await bob.ok(b"SELECT INBOX")
        assert b"[OVERQUOTA]" in (await bob.do(b"COPY 1 " + INBOX))[-1]
        assert b"[OVERQUOTA]" in (await bob.do(b"MOVE 1 " + INBOX))[-1]
        assert (await bob.ok(b"STATUS INBOX (MESSAGES)"))[0].endswith(b"(MESSAGES 1)")

    both(world, work)


def test_moving_out_leaves_the_owner_what_was_taken(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        body = message("one", "Text.\r\n", Message_ID="<1@demo.test>", References="<0@demo.test>")
        await server.inbox(body, flags=Flag.FLAGGED)
        await share(ada, b"lrte")
        await bob.ok(b"SELECT " + INBOX)
        [moved, gone] = await bob.ok(b"MOVE 1 INBOX")
        assert moved.startswith(b"OK [COPYUID ")
        assert gone == b"1 EXPUNGE"
        await bob.ok(b"SELECT INBOX")
        [line] = await bob.ok(b"FETCH 1 (FLAGS BODY.PEEK[] EMAILID)")
        assert body in line
        assert b"FLAGS (\\Flagged \\Recent)" in line
        assert b"EMAILID (M2-1)" in line
        quota = server.account.quota()
        assert (quota.messages_used, quota.bytes_used) == (0, 0)
        kept = server.store.database.ask(lambda r: r.value("SELECT count(*) FROM kept"))
        assert kept == 1

    both(world, work)
    assert problems(world.data) == []


def test_mailboxes_below_are_shared_alike_and_managed_by_rights(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        await ada.ok(b"CREATE Projects")
        await share(ada, b"lrswitekx", b"Projects")
        there = b'"Other Users/ada@demo.test/Projects/'
        await bob.ok(b"CREATE " + there + b'one"')
        assert await ada.ok(b"MYRIGHTS Projects/one") == [b"MYRIGHTS Projects/one lrswipkxtencda"]
        assert await bob.ok(b"MYRIGHTS " + there + b'one"') == [b"MYRIGHTS " + there + b'one" lrswikxtecd']
        await bob.ok(b"RENAME " + there + b'one" ' + there + b'two"')
        assert b"NO [CANNOT]" in (await bob.do(b"RENAME " + there + b'two" mine'))[-1]
        for whom in (b"ada", b"nobody"):
            theirs = b'"Other Users/' + whom + b'@demo.test/Sent"'
            for name in (b"Sent", b"nothing"):
                assert b"NO [NOPERM]" in (await bob.do(b"RENAME " + name + b" " + theirs))[-1]
            assert b"NO [NONEXISTENT]" in (await bob.do(b"RENAME " + theirs + b" mine"))[-1]
        assert b"NO [NOPERM]" in (await bob.do(b'CREATE "Other Users/ada@demo.test/top"'))[-1]
        assert b"NO [NOPERM]" in (await bob.do(b'CREATE "Shared/x"'))[-1]
        await bob.ok(b"DELETE " + there + b'two"')
        assert b"NO [NONEXISTENT]" in (await ada.do(b"SELECT Projects/two"))[-1]
        names = await bob.ok(b'LIST "" "Other Users/*"')
        assert names[-1].endswith(b'"Other Users/ada@demo.test/Projects"')
        await bob.ok(b'SUBSCRIBE "Other Users/ada@demo.test/Projects"')
        assert (await bob.ok(b'LSUB "" "Other*"'))[-1].endswith(b'ada@demo.test/Projects"')

    both(world, work)


def test_a_shared_account_and_anyone(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        desk = server.store.account(3)
        inbox = desk.mailbox("INBOX")
        assert inbox is not None
        await desk.shares().change(inbox.id, 0, negative=False, rights=frozenset("lrswi"), mode="")
        await desk.shares().change(inbox.id, 2, negative=True, rights=frozenset("wi"), mode="")
        assert (await ada.ok(b'LIST "" "Shared/%/%"'))[-1].endswith(b" Shared/desk@demo.test/INBOX")
        assert (await ada.append(message("one"), b"Shared/desk@demo.test/INBOX")).startswith(b"OK")
        assert b"NO [NOPERM]" in await bob.append(message("two"), b"Shared/desk@demo.test/INBOX")
        assert await bob.ok(b"MYRIGHTS Shared/desk@demo.test/INBOX") == [
            b"MYRIGHTS Shared/desk@demo.test/INBOX lrs"
        ]
        assert b"NO [NONEXISTENT]" in (await bob.do(b'SELECT "Other Users/desk@demo.test/INBOX"'))[-1]
        found = await bob.ok(b'ESEARCH IN (mailboxes "Shared/desk@demo.test/INBOX") SUBJECT one')
        assert found[0].endswith(b"UID ALL 1")

    both(world, work)


def test_private_notes_about_others_mailboxes(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        await share(ada, b"lr")
        await ada.ok(b'SETMETADATA INBOX (/private/comment "mine" /shared/comment "ours")')
        await bob.ok(b"SETMETADATA " + INBOX + b' (/private/comment "his")')
        assert b"NO [NOPERM]" in (await bob.do(b"SETMETADATA " + INBOX + b' (/shared/comment "x")'))[-1]
        assert (
            b"USEATTR" in (await bob.do(b"SETMETADATA " + INBOX + b' (/private/specialuse "\\\\Junk")'))[-1]
        )
        told = await bob.ok(b"GETMETADATA " + INBOX + b" (/private/comment /shared/comment)")
        assert told == [b"METADATA " + INBOX + b' (/private/comment "his" /shared/comment "ours")']
        told = await ada.ok(b"GETMETADATA INBOX /private/comment")
        assert told == [b'METADATA INBOX (/private/comment "mine")']

    both(world, work)


def test_notes_that_others_change_are_news_where_the_mailbox_is_selected(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        await share(ada, b"lr")
        await bob.ok(b"ENABLE METADATA")
        await bob.ok(b"SELECT " + INBOX)
        await ada.ok(b'SETMETADATA INBOX (/private/comment "mine" /shared/comment "ours")')
        await ada.ok(b'SETMETADATA Sent (/shared/comment "hers")')
        assert await bob.ok(b"NOOP") == [b"METADATA " + INBOX + b" /shared/comment"]

    both(world, work)


def test_a_removed_account_takes_its_grants_away(world: World) -> None:
    async def work(server: Server, ada: Client, bob: Client) -> None:
        await share(ada, b"lrs")
        await bob.ok(b"SELECT " + INBOX)
        await bob.ok(b"UNSELECT")
        await server.store.database.write(lambda tx: remove_account(tx, BOB, who="test"))
        assert await ada.ok(b"GETACL INBOX") == [b"ACL INBOX ada@demo.test lrswipkxtencda"]

    both(world, work)


def test_own_mailboxes_ask_no_list(world: World) -> None:
    """What a session does with its own mailboxes reads no row of `share` or `seen`."""

    async def work(server: Server, ada: Client) -> None:
        asked: list[str] = []

        def note(_cursor: object, sql: str, _bindings: object) -> bool:
            asked.append(sql)
            return True

        connections = (server.store.database._reader, server.store.database._writer)
        for connection in connections:
            connection.exec_trace = note
        await server.inbox(message("one"))
        await ada.ok(b"SELECT INBOX")
        await ada.ok(b"FETCH 1 (FLAGS BODY[])")
        await ada.ok(b"STORE 1 +FLAGS (\\Flagged)")
        await ada.ok(b"COPY 1 Trash")
        await ada.ok(b"STATUS INBOX (UNSEEN)")
        await ada.ok(b"NOOP")
        for connection in connections:
            connection.exec_trace = None
        assert asked
        assert not [sql for sql in asked if " share" in sql or " seen " in sql]

    world.talk(work)
