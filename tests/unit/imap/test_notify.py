"""NOTIFY (RFC 5465): what is told, of what, and when."""

import pytest

from postroad.imap.notify.overview import Overviews
from postroad.store.types import NewMessage
from tests.unit.imap.world import Client, Server, World, message

ALL = b"(MessageNew MessageExpunge FlagChange)"


async def file(server: Server, mailbox: str, *bodies: bytes) -> list[int]:
    """File messages behind the sessions' backs."""
    found = server.account.mailbox(mailbox)
    assert found is not None
    _, uids = await server.account.append(found.id, [NewMessage(body) for body in bodies])
    return uids


async def mailbox_id(server: Server, name: str) -> int:
    found = server.account.mailbox(name)
    assert found is not None
    return found.id


def test_news_come_between_commands(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        await client.ok(b"NOTIFY SET (selected %b)" % ALL)
        await server.inbox(message())
        assert [await client.line(), await client.line()] == [b"* 1 EXISTS", b"* 1 RECENT"]
        inbox = await mailbox_id(server, "INBOX")
        await server.account.store_flags(inbox, [(1, 1)], "add", 8)
        assert b" FETCH (UID 1 FLAGS (" in await client.line()
        await server.account.expunge(inbox, [(1, 1)], only_deleted=False)
        assert await client.line() == b"* 1 EXPUNGE"

    world.talk(talk)


def test_delayed_expunges_wait_for_a_command(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message(), message())
        await client.ok(b"SELECT INBOX")
        await client.ok(b"NOTIFY SET (selected-delayed %b)" % ALL)
        await server.account.expunge(await mailbox_id(server, "INBOX"), [(1, 1)], only_deleted=False)
        await server.inbox(message())
        assert [await client.line(), await client.line()] == [b"* 3 EXISTS", b"* 3 RECENT"]
        assert await client.ok(b"FETCH 2 (UID)") == [b"2 FETCH (UID 2)"]
        assert await client.ok(b"NOOP") == [b"1 EXPUNGE", b"2 RECENT"]

    world.talk(talk)


def test_items_of_new_messages(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        await client.ok(
            b"NOTIFY SET (selected (MessageNew (uid body.peek[header.fields (subject)]) MessageExpunge))"
        )
        await server.inbox(message("one"), message("two"))
        assert [await client.line(), await client.line()] == [b"* 2 EXISTS", b"* 2 RECENT"]
        assert await client.line() == (
            b"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (subject)] {16}\r\nSubject: one\r\n\r\n)"
        )
        assert (await client.line()).startswith(b"* 2 FETCH (UID 2 ")
        # Of what the client has filed itself it knows (§5.2).
        assert b"APPENDUID" in await client.append(message("mine"))
        assert await client.ok(b"UID COPY 1 INBOX") == [b"4 EXISTS", b"4 RECENT"]

    world.talk(talk)


def test_own_messages_are_counted_and_not_described(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        await client.ok(b"NOTIFY SET (selected (MessageNew (uid) MessageExpunge))")
        await client.send(b"a APPEND INBOX {5+}\r\nhello\r\n")
        lines = await client.until(b"a")
        assert lines[:-1] == [b"* 1 EXISTS", b"* 1 RECENT"]

    world.talk(talk)


def test_items_carry_modseqs_where_condstore_is_on(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"ENABLE QRESYNC")
        await client.ok(b"SELECT INBOX")
        await client.ok(b"NOTIFY SET (selected (MessageNew (flags) MessageExpunge))")
        await server.inbox(message())
        lines = [await client.line() for _ in range(3)]
        assert lines[2].startswith(b"* 1 FETCH (UID 1 FLAGS (\\Recent) MODSEQ (")
        await server.account.expunge(await mailbox_id(server, "INBOX"), [(1, 1)], only_deleted=False)
        assert [await client.line(), await client.line()] == [b"* VANISHED 1", b"* 0 RECENT"]
        assert (await client.line()).startswith(b"* OK [HIGHESTMODSEQ ")

    world.talk(talk)


def test_flags_that_nobody_wants_to_hear_of_are_told_later(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"SELECT INBOX (CONDSTORE)")
        await client.ok(b"NOTIFY SET (selected (MessageNew MessageExpunge))")
        inbox = await mailbox_id(server, "INBOX")
        await server.account.store_flags(inbox, [(1, 1)], "add", 8)
        await server.inbox(message())
        assert [await client.line(), await client.line()] == [b"* 2 EXISTS", b"* 2 RECENT"]
        assert await client.ok(b"NOOP") == []
        told = await client.ok(b"NOTIFY SET (selected %b)" % ALL)
        assert [line.split()[0] for line in told if b"FETCH" in line] == [b"1", b"2"]

    world.talk(talk)


@pytest.mark.parametrize("quiet", [b"NONE", b"SET (selected NONE)", b"SET (mailboxes Trash %b)" % ALL])
def test_a_mailbox_that_stands_still(world: World, quiet: bytes) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message(), message())
        await client.ok(b"SELECT INBOX")
        await client.ok(b"NOTIFY " + quiet)
        await server.inbox(message())
        inbox = await mailbox_id(server, "INBOX")
        await server.account.store_flags(inbox, [(1, 1)], "add", 8)
        assert await client.ok(b"NOOP") == []
        # What the client does itself it hears of.
        assert await client.ok(b"STORE 2 +FLAGS (\\Deleted)") == [b"2 FETCH (FLAGS (\\Deleted \\Recent))"]
        assert await client.ok(b"EXPUNGE") == [b"2 EXPUNGE", b"1 RECENT"]
        assert await client.ok(b"FETCH 1:* (UID)") == [b"1 FETCH (UID 1)"]
        # And all of it once it listens again: an implicit NOOP (§3.1).
        told = await client.ok(b"NOTIFY SET (selected %b)" % ALL)
        assert b"2 EXISTS" in told
        assert any(line.startswith(b"1 FETCH (UID 1 FLAGS (") for line in told)

    world.talk(talk)


def test_idle_tells_the_same(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"SELECT INBOX")
        await client.ok(
            b"NOTIFY SET (selected-delayed (MessageNew (uid) MessageExpunge)) (personal %b)" % ALL
        )
        await client.send(b"i IDLE\r\n")
        assert (await client.line()).startswith(b"+ ")
        await server.inbox(message())
        lines = [await client.line() for _ in range(3)]
        assert lines[2] == b"* 2 FETCH (UID 2)"
        await server.account.expunge(await mailbox_id(server, "INBOX"), [(1, 1)], only_deleted=False)
        assert [await client.line(), await client.line()] == [b"* 1 EXPUNGE", b"* 1 RECENT"]
        await file(server, "Sent", message())
        assert await client.line() == b"* STATUS Sent (MESSAGES 1 UIDNEXT 2 UNSEEN 1 UIDVALIDITY %d)" % (
            server.account.mailbox("Sent").uidvalidity  # type: ignore[union-attr]  # it is there
        )
        await client.send(b"DONE\r\n")
        assert await client.line() == b"i OK done"

    world.talk(talk)


def test_status_of_other_mailboxes(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        await client.ok(b"NOTIFY SET (mailboxes (INBOX Sent Nowhere) (MessageNew MessageExpunge))")
        await file(server, "Sent", message())
        assert await client.line() == b"* STATUS Sent (MESSAGES 1 UIDNEXT 2)"
        await server.account.store_flags(await mailbox_id(server, "Sent"), [(1, 1)], "add", 1)
        await file(server, "Trash", message())
        await server.inbox(message())
        await server.account.expunge(await mailbox_id(server, "Sent"), [(1, 1)], only_deleted=False)
        # Flags, other mailboxes and the selected one are not asked for.
        assert await client.line() == b"* STATUS Sent (MESSAGES 0 UIDNEXT 2)"
        await client.ok(b"ENABLE CONDSTORE")
        await client.ok(b"NOTIFY SET (mailboxes Sent %b)" % ALL)
        [uid] = await file(server, "Sent", message())
        assert (await client.line()).startswith(b"* STATUS Sent (MESSAGES 1 UIDNEXT 3 UNSEEN 1 UIDVALIDITY ")
        await server.account.store_flags(await mailbox_id(server, "Sent"), [(uid, uid)], "add", 4)
        line = await client.line()
        assert line.startswith(b"* STATUS Sent (UIDVALIDITY ")
        assert b" HIGHESTMODSEQ " in line

    world.talk(talk)


def test_status_at_once(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        lines = await client.ok(
            b"NOTIFY SET STATUS (selected %b) (mailboxes (INBOX Sent) %b) (mailboxes Trash (MailboxName))"
            % (ALL, ALL)
        )
        sent = server.account.mailbox("Sent")
        assert sent is not None
        values = (sent.uidvalidity, sent.highest_modseq)
        assert lines == [b"STATUS Sent (MESSAGES 0 UIDNEXT 1 UIDVALIDITY %d HIGHESTMODSEQ %d)" % values]

    world.talk(talk)


def test_what_was_missed_of_a_mailbox_that_is_left(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        await client.ok(b"NOTIFY SET (selected NONE) (personal (MessageNew MessageExpunge))")
        await server.inbox(message())
        assert await client.ok(b"NOOP") == []
        lines = await client.ok(b"UNSELECT")
        assert lines == [b"STATUS INBOX (MESSAGES 1 UIDNEXT 2)"]

    world.talk(talk)


def test_own_changes_elsewhere_are_not_told(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message())
        await client.ok(b"SELECT INBOX")
        await client.ok(b"NOTIFY SET (personal (MessageNew MessageExpunge MailboxName SubscriptionChange))")
        assert await client.ok(b"COPY 1 Sent") == []
        assert await client.ok(b"CREATE Mine") == []
        assert await client.ok(b"SUBSCRIBE Mine") == []
        assert await client.ok(b"RENAME Mine Yours") == []
        assert await client.ok(b"UNSUBSCRIBE Mine") == []
        assert await client.ok(b"DELETE Yours") == []
        await server.account.create("Theirs")
        assert await client.line() == b'* LIST (\\HasNoChildren) "/" Theirs'

    world.talk(talk)


def test_names(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        account = server.account
        await client.ok(b"NOTIFY SET (personal (MailboxName SubscriptionChange))")
        made = await account.create("Lists/Lemonade")
        assert {await client.line(), await client.line()} == {
            b'* LIST (\\HasChildren) "/" Lists',
            b'* LIST (\\HasNoChildren) "/" Lists/Lemonade',
        }
        # What is below is renamed along without a word (§5.4).
        await account.rename(await mailbox_id(server, "Lists"), "Groups")
        assert await client.line() == b'* LIST (\\HasChildren) "/" Groups ("OLDNAME" (Lists))'
        await account.subscribe("Groups/Lemonade", True)
        assert await client.line() == b'* LIST (\\HasNoChildren \\Subscribed) "/" Groups/Lemonade'
        await account.delete(made.id)
        assert {await client.line(), await client.line()} == {
            b'* LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" Groups/Lemonade',
            b'* LIST (\\HasNoChildren) "/" Groups',
        }
        await account.subscribe("Groups/Lemonade", False)
        assert await client.line() == b'* LIST (\\NonExistent \\HasNoChildren) "/" Groups/Lemonade'

    world.talk(talk)


def test_groups(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        account = server.account
        for name in ("A", "A/B", "A/B/C", "Spam"):
            await account.create(name)
        await account.subscribe("Spam", True)

        async def told(groups: bytes) -> list[bytes]:
            lines = await client.ok(b"NOTIFY SET STATUS " + groups)
            return [line.split()[1] for line in lines]

        new = b"(MessageNew MessageExpunge)"
        assert await told(b"(subtree A %b)" % new) == [b"A", b"A/B", b"A/B/C"]
        assert await told(b"(subtree-one (A Spam) %b)" % new) == [b"A", b"A/B", b"Spam"]
        assert b"Spam" in await told(b"(subscribed %b)" % new)
        assert b"A" not in await told(b"(subscribed %b)" % new)
        assert await told(b"(personal %b)" % new) == await told(b"(inboxes %b)" % new)
        # NONE leaves out what a wider group before it has named.
        assert b"Spam" not in await told(b"(personal %b) (mailboxes Spam NONE)" % new)
        assert await told(b"(personal NONE) (mailboxes Spam %b)" % new) == [b"Spam"]

    world.talk(talk)


def test_metadata(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(
            b"NOTIFY SET (mailboxes Sent (MailboxMetadataChange)) (personal (ServerMetadataChange))"
        )
        async with server.client() as other:
            await other.ok(b'SETMETADATA INBOX (/private/comment "unheard")')
            await other.ok(b'SETMETADATA Sent (/private/comment "heard")')
            assert await client.line() == b"* METADATA Sent /private/comment"
            await other.ok(b'SETMETADATA "" (/private/comment NIL)')
            await other.ok(b'SETMETADATA "" (/private/comment "x")')
            assert await client.line() == b'* METADATA "" /private/comment'
            assert await client.ok(b'SETMETADATA Sent (/private/comment "mine")') == []
            await client.ok(b"NOTIFY NONE")
            await other.ok(b"SETMETADATA Sent (/private/comment NIL)")
            assert await client.ok(b"NOOP") == []

    world.talk(talk)


def test_another_worker(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))")
        async with world.server(worker=1) as second:
            await second.inbox(message())
            assert await client.line() == b"* STATUS INBOX (MESSAGES 1 UIDNEXT 2)"
            await second.account.create("There")
            assert await client.line() == b'* LIST (\\HasNoChildren) "/" There'

    world.talk(talk)


def test_too_many_mailboxes(world: World) -> None:
    world.limit(imap_notify_mailboxes=7)

    async def talk(server: Server, client: Client) -> None:
        few = len(server.account.mailboxes())
        for number in range(few, 7):
            await server.account.create(f"box{number}")
        await client.ok(b"NOTIFY SET (personal (MailboxName))")
        await server.account.create("straw")
        assert (await client.line()).startswith(b"* OK [NOTIFICATIONOVERFLOW] ")
        # It is as if NOTIFY NONE had come (§5.8).
        await server.account.create("more")
        assert await client.ok(b"NOOP") == []
        assert await client.do(b"NOTIFY SET (personal (MailboxName))") == [
            b"NO [NOTIFICATIONOVERFLOW] these are too many mailboxes to watch"
        ]
        await client.ok(b"NOTIFY SET (selected %b)" % ALL)

    world.talk(talk)


def test_unauthenticate_ends_it(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"NOTIFY SET (personal (MailboxName))")
        await client.ok(b"UNAUTHENTICATE")
        await server.account.create("unheard")
        assert await client.ok(b"NOOP") == []
        await client.login()
        assert await client.ok(b"NOOP") == []
        assert await client.ok(b"SELECT INBOX")
        await server.inbox(message())
        assert await client.ok(b"NOOP") == [b"1 EXISTS", b"1 RECENT"]

    world.talk(talk)


def test_a_mailbox_deleted_while_it_is_watched(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        made = await server.account.create("Box")
        await client.ok(b"SELECT Box")
        await client.ok(b"NOTIFY SET (selected %b)" % ALL)
        await server.account.delete(made.id)
        assert await client.rest() == b"* BYE the mailbox is gone, or no longer yours to read\r\n"

    world.talk(talk)


def test_items_of_search_results(world: World) -> None:
    """RFC 5465 §7: once, with those of NOTIFY, and for new messages alone."""

    async def talk(server: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        await client.ok(b"NOTIFY SET (selected (MessageNew (uid) MessageExpunge FlagChange))")
        await client.ok(b"SEARCH RETURN (UPDATE (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])) SUBJECT boss")
        await server.inbox(message("boss"), message("other"))
        lines = [await client.line() for _ in range(5)]
        assert lines[:2] == [b"* 2 EXISTS", b"* 2 RECENT"]
        assert lines[2].startswith(b"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (SUBJECT)] {")
        assert lines[3] == b"* 2 FETCH (UID 2)"
        assert lines[4] == b'* ESEARCH (TAG "t4") ADDTO (0 1)'

    world.talk(talk)


def test_sessions_share_what_they_know(world: World) -> None:
    async def work(server: Server) -> None:
        overviews = Overviews()
        first = overviews.take(server.account)
        assert overviews.take(server.account) is first
        await server.account.create("News")
        second = overviews.take(server.account)
        assert (len(second), second.same_names(first)) == (len(first) + 1, False)

    world.run(work)
