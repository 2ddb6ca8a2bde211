"""Entries: filing, flags, copies, moves, expunges, and what a session is told of them."""

import asyncio

import pytest

from postroad.db.transaction import Transaction
from postroad.model.flags import Flag
from postroad.store.account import Account
from postroad.store.errors import LimitReached, NoSuchMailbox, NoSuchMessage, OverQuota
from postroad.store.offline import open_offline
from postroad.store.types import NewMessage
from tests.unit.store.conftest import Desk, message


def box(account: Account, name: str = "INBOX") -> int:
    mailbox = account.mailbox(name)
    assert mailbox is not None
    return mailbox.id


def test_an_appended_message_is_there_as_the_bytes_that_came(desk: Desk) -> None:
    async def work(account: Account) -> None:
        new = message(1, b"8-bit \xe9 and a long line " + b"x" * 5000 + b"\r\n")
        uidvalidity, uids = await account.append(box(account), [new])
        [entry] = account.entries(box(account), [(1, 10)])
        stored = account.open(entry.message_id)
        assert (uids, entry.uid, entry.size) == ([1], 1, len(new.body))
        assert stored.read(0, stored.size) == new.body
        assert stored.intact()
        mailbox = account.mailbox("inbox")
        assert mailbox is not None
        assert (mailbox.uidvalidity, mailbox.messages, mailbox.unseen) == (uidvalidity, 1, 1)

    desk.run(work)


def test_a_large_message_goes_through_the_spool_and_a_thread(desk: Desk) -> None:
    async def work(account: Account) -> None:
        body = bytes(message().body) + b"0123456789abcdef" * 65536
        await account.append(box(account), [NewMessage(body)])
        stored = account.open(1)
        assert stored.size == len(body)
        assert stored.read(1000, 1016) == body[1000:1016]
        assert bytes(stored.shared()) == body

    desk.run(work)


def test_counters_follow_every_change(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox, trash = box(account), box(account, "Trash")
        await account.append(inbox, [message(n) for n in range(10)])
        await account.store_flags(inbox, [(1, 4)], "add", Flag.SEEN)
        await account.store_flags(inbox, [(3, 6)], "add", Flag.DELETED)
        await account.copy(inbox, [(1, 2)], trash)
        await account.move(inbox, [(9, 10)], trash)
        assert await account.expunge(inbox) == [3, 4, 5, 6]
        first, second = account.mailbox("INBOX"), account.mailbox("Trash")
        assert first is not None
        assert second is not None
        assert (first.messages, first.unseen, first.deleted, first.uidnext) == (4, 2, 0, 11)
        assert (second.messages, second.unseen, second.uidnext) == (4, 2, 5)
        quota = account.quota()
        assert (quota.messages_used, quota.bytes_used) == (8, first.size + second.size)

    desk.run(work)


def test_changes_name_what_is_new_changed_and_gone(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = box(account)
        await account.append(inbox, [message(n) for n in range(5)])
        before = (await account.listing(inbox)).modseq
        await account.store_flags(inbox, [(2, 2)], "add", Flag.FLAGGED)
        await account.expunge(inbox, [(4, 4)], only_deleted=False)
        await account.append(inbox, [message(6)])
        news = account.changes(inbox, before)
        assert ([e.uid for e in news.entries], news.vanished) == ([2, 6], [4])
        assert list((await account.listing(inbox)).uids) == [1, 2, 3, 5, 6]
        assert account.changes(inbox, news.modseq).entries == []

    desk.run(work)


def test_a_listing_is_in_the_order_of_uids_whatever_changed_last(desk: Desk) -> None:
    async def change(account: Account) -> None:
        await account.append(box(account), [message(n) for n in range(5)])
        await account.store_flags(box(account), [(2, 2)], "add", Flag.SEEN)

    async def look(account: Account) -> None:  # another worker, whose listing is made from nothing
        assert list((await account.listing(box(account))).uids) == [1, 2, 3, 4, 5]

    desk.run(change)
    desk.run(look)


def test_flags_changed_meanwhile_are_left_alone(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = box(account)
        await account.append(inbox, [message(1), message(2)])
        known = (await account.listing(inbox)).modseq
        await account.store_flags(inbox, [(2, 2)], "add", Flag.SEEN)
        result = await account.store_flags(
            inbox, [(1, 2)], "set", Flag.FLAGGED, frozenset(), unchanged_since=known
        )
        assert result.conflicts == [2]
        assert [e.flags for e in result.entries] == [Flag.FLAGGED, Flag.SEEN]

    desk.run(work)


def test_keywords_are_sets_without_case(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = box(account)
        await account.append(inbox, [message()])
        await account.store_flags(inbox, [(1, 1)], "add", 0, frozenset({"$Forwarded", "Blue"}))
        result = await account.store_flags(inbox, [(1, 1)], "add", 0, frozenset({"blue"}))
        assert result.entries[0].keywords == "$Forwarded Blue"
        result = await account.store_flags(inbox, [(1, 1)], "remove", 0, frozenset({"BLUE"}))
        assert result.entries[0].keywords == "$Forwarded"
        with pytest.raises(LimitReached):
            await account.store_flags(inbox, [(1, 1)], "add", 0, frozenset({"x" * 101}))

    desk.run(work)


def test_quota_is_checked_and_charged_at_once(desk: Desk) -> None:
    async def work(account: Account) -> None:
        def limit(tx: Transaction) -> None:
            tx.run("UPDATE account SET quota_messages = 3 WHERE id = ?", account.id)

        await account._database.write(limit)
        await account.append(box(account), [message(1), message(2)])
        with pytest.raises(OverQuota):
            await account.append(box(account), [message(3), message(4)])
        with pytest.raises(OverQuota):
            await account.copy(box(account), [(1, 2)], box(account, "Trash"))
        assert account.quota().messages_used == 2
        result = await account.move(box(account), [(1, 2)], box(account, "Trash"))
        assert result.target == [1, 2]  # moving needs no room

    desk.run(work)


def test_a_vanished_mailbox_takes_nothing(desk: Desk) -> None:
    async def work(account: Account) -> None:
        used = account.quota()
        with pytest.raises(NoSuchMailbox):
            await account.append(999, [message()])
        assert account.quota() == used

    desk.run(work)


def test_recent_is_claimed_once(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = box(account)
        await account.append(inbox, [message(1), message(2)])
        assert [await account.claim_recent(inbox), await account.claim_recent(inbox)] == [
            range(1, 3),
            range(0),
        ]

    desk.run(work)


def test_what_comes_behind_a_claim_is_for_the_next(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = box(account)
        await account.append(inbox, [message(1)])
        claims = await asyncio.gather(
            account.claim_recent(inbox),
            account.append(inbox, [message(2)]),
            account.claim_recent(inbox),
            account.claim_recent(inbox),
        )
        claimed = [*claims[0], *claims[2], *claims[3], *await account.claim_recent(inbox)]
        assert sorted(claimed) == [1, 2]

    desk.run(work)


def test_a_reply_joins_its_thread(desk: Desk) -> None:
    async def work(account: Account) -> None:
        reply = NewMessage(b"Message-ID: <r@x>\r\nIn-Reply-To: <m1@demo.test>\r\n\r\n")
        await account.append(box(account), [message(1), message(2), reply])
        rows = account._database.read(lambda r: r.rows("SELECT id, thread_id FROM message ORDER BY id"))
        assert rows == [(1, 1), (2, 2), (3, 1)]

    desk.run(work)


def test_messages_that_come_together_find_one_another_s_threads(desk: Desk) -> None:
    def letter(own: str, *named: str) -> NewMessage:
        references = " ".join(f"<{name}>" for name in named)
        return NewMessage(f"Message-ID: <{own}>\r\nReferences: {references}\r\n\r\nHi.\r\n".encode())

    async def work(account: Account) -> None:
        inbox = box(account)
        await account.append(inbox, [letter("a@x")])
        await account.append(inbox, [letter("b@x"), letter("c@x", "b@x"), letter("d@x", "a@x"), message(9)])

    desk.run(work)
    with open_offline(desk.data) as database:
        rows = database.write(lambda tx: tx.rows("SELECT thread_id FROM message ORDER BY id"))
    assert [thread for (thread,) in rows] == [1, 2, 2, 1, 5]


def test_a_copy_of_so_many_is_of_all_or_none(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox, trash = box(account), box(account, "Trash")
        await account.append(inbox, [message(n) for n in range(3)])
        await account.expunge(inbox, [(2, 2)], only_deleted=False)
        for change in (account.copy, account.move):
            with pytest.raises(NoSuchMessage):
                await change(inbox, [(1, 3)], trash, 3)
        assert (await account.copy(inbox, [(1, 3)], trash, 2)).source == [1, 3]

    desk.run(work)
