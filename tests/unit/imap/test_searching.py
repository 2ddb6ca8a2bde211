"""SORT, THREAD and what else searches, in a server: limits, what an earlier schema filed, giving way."""

from postroad.imap.ordering.sliced import SLICE
from postroad.imap.wire.limits import SORT_CRITERIA
from tests.unit.imap.world import Client, Server, World, message


def reply(number: int, *ancestors: int) -> bytes:
    """Message `number`, which answers others."""
    references = " ".join(f"<{ancestor}@x>" for ancestor in ancestors)
    return message("tea", Message_ID=f"<{number}@x>", References=references)


def test_a_thread_looks_at_so_many_message_ids(world: World) -> None:
    world.limit(imap_thread_identifiers=3)

    async def talk(server: Server, client: Client) -> None:
        await server.inbox(reply(1), reply(2, 1, 9))
        await client.ok(b"SELECT INBOX")
        assert await client.ok(b"THREAD REFS UTF-8 ALL") == [b"THREAD (1 2)"]
        await server.inbox(reply(3))
        await client.ok(b"NOOP")
        assert await client.do(b"THREAD REFS UTF-8 ALL") == [
            b"NO [LIMIT] these messages name too many others"
        ]
        await client.ok(b"THREAD ORDEREDSUBJECT UTF-8 ALL")

    world.talk(talk)


def test_a_sort_has_so_many_criteria(world: World) -> None:
    async def talk(_: Server, client: Client) -> None:
        await client.ok(b"SELECT INBOX")
        await client.ok(b"SORT (%b) UTF-8 ALL" % b" ".join([b"DATE"] * SORT_CRITERIA))
        too_many = b"SORT (%b) UTF-8 ALL" % b" ".join([b"DATE"] * (SORT_CRITERIA + 1))
        assert (await client.do(too_many))[-1] == b"BAD too many sort criteria"

    world.talk(talk)


def test_whom_old_messages_answer_is_read_once_and_kept(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(reply(1), reply(2, 1), message("other", In_Reply_To="<2@x> <eve@x>"))
        write = server.store.database.write
        await write(lambda tx: tx.run("UPDATE message SET ancestors = NULL"))
        await client.ok(b"SELECT INBOX")
        assert await client.ok(b"THREAD REFERENCES UTF-8 ALL") == [b"THREAD (1 2 3)"]
        rows = server.store.database.read(lambda r: r.rows("SELECT ancestors FROM message ORDER BY id"))
        assert rows == [("",), ("1@x",), ("2@x",)]

    world.talk(talk)


def test_equal_ones_stay_in_mailbox_order_also_over_many_slices(world: World) -> None:
    count = SLICE + 10

    async def talk(server: Server, client: Client) -> None:
        await server.inbox(*[message("tea") if n % 3 else message("milk") for n in range(count)])
        await client.ok(b"SELECT INBOX")
        [line] = await client.ok(b"SORT (SUBJECT SIZE) UTF-8 ALL")
        found = [int(number) for number in line.split()[1:]]
        assert found == [*range(1, count + 1, 3), *[n for n in range(1, count + 1) if n % 3 != 1]]
        [line] = await client.ok(b"THREAD ORDEREDSUBJECT UTF-8 ALL")
        assert line.startswith(b"THREAD (1 (4)(7)")

    world.talk(talk)


def test_no_expunge_while_numbers_count(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(reply(1), reply(2), reply(3))
        await client.ok(b"SELECT INBOX")
        inbox = server.account.mailbox("INBOX")
        assert inbox is not None
        await server.account.expunge(inbox.id, [(1, 1)], only_deleted=False)
        assert await client.ok(b"SORT (SUBJECT) UTF-8 ALL") == [b"SORT 2 3"]
        assert await client.ok(b"THREAD REFS UTF-8 ALL") == [b"THREAD (2)(3)"]
        assert await client.ok(b"UID SORT (SUBJECT) UTF-8 ALL") == [b"SORT 2 3", b"1 EXPUNGE", b"2 RECENT"]

    world.talk(talk)


def test_a_session_follows_so_many_results_with_so_many_messages(world: World) -> None:
    world.limit(imap_contexts=2, imap_context_messages=3)

    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message(), message())
        await client.ok(b"SELECT INBOX")

        async def is_refused(command: bytes) -> bool:
            return any(b"NOUPDATE" in line for line in await client.ok(command))

        assert not await is_refused(b"SEARCH RETURN (UPDATE) ALL")
        assert await is_refused(b"SORT RETURN (UPDATE) (DATE) UTF-8 ALL")
        assert not await is_refused(b"SORT RETURN (UPDATE) (DATE) UTF-8 FLAGGED")
        assert await is_refused(b"SEARCH RETURN (UPDATE) FLAGGED")

    world.talk(talk)


def test_uids_to_the_end_are_new_ones_too(world: World) -> None:
    async def talk(server: Server, client: Client) -> None:
        await server.inbox(message(), message())
        await client.ok(b"SELECT INBOX")
        await client.ok(b"UID SEARCH RETURN (UPDATE) UID 2:*")
        await client.ok(b"UID SEARCH RETURN (UPDATE) UID *")
        await client.ok(b"UID SEARCH RETURN (UPDATE) 1:2")
        await client.ok(b"UID SEARCH RETURN (UPDATE) 1:*")
        await server.inbox(message())
        lines = await client.ok(b"NOOP")
        assert [line for line in lines if line.startswith(b"ESEARCH")] == [
            b'ESEARCH (TAG "t3") UID ADDTO (0 3)'
        ]

    world.talk(talk)


def test_one_search_looks_into_so_many_mailboxes(world: World) -> None:
    world.limit(imap_search_mailboxes=2)

    async def talk(_: Server, client: Client) -> None:
        assert await client.ok(b"ESEARCH IN (mailboxes (INBOX Trash Nowhere)) ALL") == []
        refused = await client.do(b"ESEARCH IN (mailboxes (INBOX Trash Sent)) ALL")
        assert refused == [b"NO [LIMIT] these are too many mailboxes for one search"]

    world.talk(talk)
