"""LIST, LSUB, CREATE, DELETE, RENAME, SUBSCRIBE (RFC 3501 §6.3)."""

import pytest

from tests.unit.imap.world import Client, Server, World

FIRST = [b"INBOX", b"Archive", b"Drafts", b"Junk", b"Sent", b"Trash"]


def names(lines: list[bytes]) -> list[bytes]:
    """The names of LIST responses."""
    return [line.rpartition(b'"/" ')[2].strip(b'"') for line in lines]


def test_what_is_there_from_the_start(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        assert await client.ok(b'LIST "" *') == [
            b'LIST (\\HasNoChildren) "/" INBOX',
            b'LIST (\\HasNoChildren \\Archive) "/" Archive',
            b'LIST (\\HasNoChildren \\Drafts) "/" Drafts',
            b'LIST (\\HasNoChildren \\Junk) "/" Junk',
            b'LIST (\\HasNoChildren \\Sent) "/" Sent',
            b'LIST (\\HasNoChildren \\Trash) "/" Trash',
        ]
        assert names(await client.ok(b'LSUB "" "*"')) == FIRST
        assert await client.ok(b'LIST "" ""') == [b'LIST (\\Noselect) "/" ""']
        assert await client.ok(b'LIST "a/b" ""') == [b'LIST (\\Noselect) "/" ""']

    world.talk(talk)


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (b'"" %', [*FIRST, b"a", b"b"]),
        (b'"" a/%', [b"a/b"]),
        (b'"" a%', [b"a"]),
        (b'"" a*', [b"a", b"a/b", b"a/b/c"]),
        (b"a/ %", [b"a/b"]),
        (b"a/ *", [b"a/b", b"a/b/c"]),
        (b'"" %/%', [b"a/b", b"b/c"]),
        (b'"" *c', [b"a/b/c", b"b/c"]),
        (b'"" %/%/%', [b"a/b/c"]),
        (b'"" inbox', [b"INBOX"]),
        (b'"" In%x', [b"INBOX"]),
        (b'"" TRASH', []),
        (b'"" *%*%*%b', [b"a/b", b"b"]),
        (b'"" a/', []),
    ],
)
def test_wildcards(world: World, arguments: bytes, found: list[bytes]) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"CREATE a/b/c")
        await client.ok(b"CREATE b/c")
        assert names(await client.ok(b"LIST " + arguments)) == found

    world.talk(talk)


def test_children_and_levels_that_are_no_mailboxes(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"CREATE a/b/c")
        await client.ok(b"DELETE a")
        await client.ok(b"DELETE a/b")
        assert await client.ok(b'LIST "" a*') == [
            b'LIST (\\Noselect \\HasChildren) "/" a',
            b'LIST (\\Noselect \\HasChildren) "/" a/b',
            b'LIST (\\HasNoChildren) "/" a/b/c',
        ]
        assert (await client.do(b"SELECT a"))[-1].startswith(b"NO [NONEXISTENT]")
        assert (await client.do(b"DELETE a"))[-1].startswith(b"NO [CANNOT]")
        await client.ok(b"RENAME a/b z")
        assert names(await client.ok(b'LIST "" *c')) == [b"z/c"]
        await client.ok(b"DELETE z/c")
        assert names(await client.ok(b'LIST "" %')) == FIRST

    world.talk(talk)


def test_create_and_its_refusals(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"CREATE foo/")
        assert names(await client.ok(b'LIST "" foo%')) == [b"foo"]
        for command, code in (
            (b"CREATE foo", b"ALREADYEXISTS"),
            (b"CREATE inbox", b"ALREADYEXISTS"),
            (b"CREATE a//b", b"CANNOT"),
            (b"CREATE ../x", b"CANNOT"),
            (b'CREATE "a*"', b"CANNOT"),
            (b"CREATE &Jjo!", b"CANNOT"),
            (b"CREATE &AGE-", b"CANNOT"),  # an "a" that need not be shifted
            (b"DELETE INBOX", b"CANNOT"),
            (b"DELETE gone", b"NONEXISTENT"),
            (b"RENAME gone there", b"NONEXISTENT"),
            (b"RENAME foo Sent", b"ALREADYEXISTS"),
            (b"RENAME foo foo/bar", b"CANNOT"),
            (b"SELECT &Jjo!", b"NONEXISTENT"),
        ):
            assert (await client.do(command))[-1].startswith(b"NO [%b]" % code), command

    world.talk(talk)


def test_names_in_modified_utf7(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await client.ok(b'CREATE "Entw&APw-rfe &- mehr"')
        assert server.account.mailbox("Entwürfe & mehr") is not None
        assert await client.ok(b'LIST "" Entw*') == [b'LIST (\\HasNoChildren) "/" "Entw&APw-rfe &- mehr"']
        assert names(await client.ok(b'STATUS "Entw&APw-rfe &- mehr" (MESSAGES)')) == [
            b'STATUS "Entw&APw-rfe &- mehr" (MESSAGES 0)'
        ]

    world.talk(talk)


def test_special_use(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        assert (await client.do(b"CREATE Box (USE (\\Sent))"))[-1].startswith(b"NO [USEATTR]")
        assert (await client.do(b"CREATE Box (USE (\\All))"))[-1].startswith(b"NO [USEATTR]")
        assert await client.ok(b'LIST "" Box') == []
        await client.ok(b"DELETE Sent")
        await client.ok(b"CREATE Box (USE (\\sent))")
        assert await client.ok(b'LIST (SPECIAL-USE) "" "*" RETURN (SUBSCRIBED)') == [
            b'LIST (\\HasNoChildren \\Subscribed \\Archive) "/" Archive',
            b'LIST (\\HasNoChildren \\Sent) "/" Box',
            b'LIST (\\HasNoChildren \\Subscribed \\Drafts) "/" Drafts',
            b'LIST (\\HasNoChildren \\Subscribed \\Junk) "/" Junk',
            b'LIST (\\HasNoChildren \\Subscribed \\Trash) "/" Trash',
        ]

    world.talk(talk)


def test_rename(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(b"Subject: x\r\n\r\n")
        await client.ok(b"CREATE a/b")
        await client.ok(b"SELECT a/b")
        await client.ok(b"RENAME a c/d")
        assert names(await client.ok(b'LIST "" c*')) == [b"c", b"c/d", b"c/d/b"]
        assert await client.ok(b"NOOP") == []
        await client.ok(b"RENAME INBOX old")
        assert await client.ok(b"STATUS INBOX (MESSAGES)") == [b"STATUS INBOX (MESSAGES 0)"]
        assert await client.ok(b"STATUS old (MESSAGES)") == [b"STATUS old (MESSAGES 1)"]

    world.talk(talk)


def test_deleting_what_is_selected(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"CREATE box")
        await client.ok(b"SELECT box")
        await client.ok(b"DELETE box")
        assert (await client.do(b"FETCH 1 FLAGS"))[-1].startswith(b"BAD")

    world.talk(talk)


def test_subscriptions(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"CREATE foo/bar")
        await client.ok(b"SUBSCRIBE foo/bar")
        assert await client.ok(b'LSUB "" f%') == [b'LSUB (\\Noselect) "/" foo']
        assert await client.ok(b'LSUB "" f*') == [b'LSUB () "/" foo/bar']
        await client.ok(b"DELETE foo/bar")
        assert await client.ok(b'LSUB "" f*') == [b'LSUB () "/" foo/bar']
        assert await client.ok(b'LIST (SUBSCRIBED) "" "f*"') == [
            b'LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" foo/bar'
        ]
        await client.ok(b"UNSUBSCRIBE foo/bar")
        assert await client.ok(b'LSUB "" f*') == []

    world.talk(talk)


def test_list_extended(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"CREATE foo/bar")
        await client.ok(b"SUBSCRIBE foo/bar")
        assert await client.ok(b'LIST (SUBSCRIBED RECURSIVEMATCH) "" (f% INB*)') == [
            b'LIST (\\HasNoChildren \\Subscribed) "/" INBOX',
            b'LIST (\\HasChildren) "/" foo ("CHILDINFO" ("SUBSCRIBED"))',
        ]
        assert await client.ok(b'LIST "" foo* RETURN (STATUS (MESSAGES UIDNEXT) CHILDREN)') == [
            b'LIST (\\HasChildren) "/" foo',
            b"STATUS foo (MESSAGES 0 UIDNEXT 1)",
            b'LIST (\\HasNoChildren) "/" foo/bar',
            b"STATUS foo/bar (MESSAGES 0 UIDNEXT 1)",
        ]

    world.talk(talk)


def test_too_many_wildcards(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        pattern = b"a%" * 100
        assert (await client.do(b'LIST "" "%b"' % pattern))[-1].startswith(b"NO [LIMIT]")

    world.talk(talk)


def test_quota(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        assert await client.ok(b"GETQUOTAROOT INBOX") == [b"QUOTAROOT INBOX"]
        assert (await client.do(b'GETQUOTA ""'))[-1].startswith(b"NO [NONEXISTENT]")
        await server.inbox(b"Subject: x\r\n\r\n")
        await server.store.database.write(
            lambda tx: tx.run("UPDATE account SET quota_bytes = 10240, quota_messages = 7")
        )
        told = b'QUOTA "" (STORAGE 1 10 MESSAGE 1 7)'
        assert await client.ok(b'GETQUOTA ""') == [told]
        assert await client.ok(b"GETQUOTAROOT INBOX") == [b'QUOTAROOT INBOX ""', told]
        assert (await client.do(b"GETQUOTA other"))[-1].startswith(b"NO [NONEXISTENT]")

    world.talk(talk)
