"""What was deleted can be restored for a while: expunged messages and deleted mailboxes."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from postroad.config.settings import Retention
from postroad.db.transaction import Reader, Transaction
from postroad.directory import kept_accounts
from postroad.directory.accounts import remove_account, set_quota
from postroad.directory.errors import NoSuchAccount
from postroad.model.flags import Flag
from postroad.store import kept
from postroad.store.account import EVERYTHING, Account
from postroad.store.blobs.reader import PackReader
from postroad.store.check import check
from postroad.store.errors import OverQuota
from postroad.store.kept import Kept, Which
from postroad.store.offline import open_offline
from postroad.store.store import Store
from postroad.store.sweep import SAFE_SECONDS, sweep_blobs, sweep_kept
from postroad.store.types import Entry, Mailbox, NewMessage
from tests.unit.store.conftest import Desk, message

DAY = 86400.0


@pytest.fixture(autouse=True)
def sound(desk: Desk) -> Iterator[None]:
    """Whatever was done, the store is sound afterwards."""
    yield
    with open_offline(desk.data) as database, closing(PackReader(desk.data / "packs")) as packs:
        assert database.read(lambda reader: list(check(reader, packs))) == []


def box(account: Account, name: str = "INBOX") -> Mailbox:
    found = account.mailbox(name)
    assert found is not None
    return found


def entries(account: Account, name: str = "INBOX") -> list[Entry]:
    return account.entries(box(account, name).id, EVERYTHING)


def find(account: Account, which: Which | None = None) -> list[Kept]:
    return account._database.read(lambda reader: kept.find(reader, account.id, which or Which()))


async def restore(
    account: Account, which: Which | None = None, *, to: str | None = None, over_quota: bool = False
) -> dict[str, int]:
    def work(tx: Transaction) -> dict[str, int]:
        found = kept.find(tx, account.id, which or Which())
        for mailbox in kept.find_mailboxes(tx, account.id, which or Which()) if to is None else []:
            kept.restore_mailbox(tx, account.id, mailbox.id)
        return kept.restore(tx, account.id, found, to=to, over_quota=over_quota)

    return await account._database.write(work)


async def file(account: Account, *numbers: int, name: str = "INBOX") -> None:
    await account.append(box(account, name).id, [message(number) for number in numbers])


async def expunge(account: Account, *uids: int, name: str = "INBOX") -> None:
    await account.expunge(box(account, name).id, [(uid, uid) for uid in uids], only_deleted=False)


def test_a_restored_message_is_what_it_was_under_a_new_uid(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = box(account).id
        new = NewMessage(message().body, Flag.SEEN | Flag.FLAGGED, frozenset({"Red"}), 951_782_400)
        await account.append(inbox, [new, message(2)])
        (before, _) = entries(account)
        await account.store_flags(inbox, [(1, 1)], "add", Flag.DELETED)
        await account.expunge(inbox)
        assert [e.uid for e in entries(account)] == [2]
        assert await restore(account) == {"INBOX": 1}
        (_, after) = entries(account)
        assert after == before._replace(uid=3, modseq=after.modseq)
        assert account.open(after.message_id).read(0, after.size) == new.body

    desk.run(work)


def test_what_was_moved_was_not_deleted(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await file(account, 1, 2)
        await account.move(box(account).id, [(1, 1)], box(account, "Archive").id)
        await account.rename(box(account).id, "Until now")
        assert find(account) == []

    desk.run(work)


def test_what_is_kept_counts_towards_no_quota(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await file(account, 1, 2)
        await expunge(account, 1, 2)
        quota = account.quota()
        assert (quota.bytes_used, quota.messages_used) == (0, 0)
        holdings = account._database.read(lambda reader: kept.holdings(reader, account.id))
        assert holdings.messages == 2
        assert holdings.octets == sum(one.size for one in find(account))

    desk.run(work)


def test_restoring_over_the_quota_has_to_be_meant(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await file(account, 1, 2)
        await expunge(account, 1)
        await account._database.write(
            lambda tx: set_quota(tx, "ada@demo.test", who="test", quota_bytes=None, quota_messages=1)
        )
        with pytest.raises(OverQuota):
            await restore(account)
        assert len(find(account)) == 1
        assert await restore(account, over_quota=True) == {"INBOX": 1}
        assert account.quota().messages_used == 2

    desk.run(work)


def test_a_restored_message_is_restored_once(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await file(account, 1)
        await expunge(account, 1)
        found = find(account)
        await restore(account)
        again = await account._database.write(
            lambda tx: kept.restore(tx, account.id, found, to=None, over_quota=False)
        )
        assert again == {}
        assert len(entries(account)) == 1

    desk.run(work)


def test_the_same_message_may_be_in_one_mailbox_and_deleted_from_another(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await file(account, 1)
        await account.copy(box(account).id, [(1, 1)], box(account, "Trash").id)
        await expunge(account, 1)
        await expunge(account, 1, name="Trash")
        await restore(account, Which(mailbox="Trash"))
        (back,) = entries(account, "Trash")
        assert [(one.mailbox, one.message_id) for one in find(account)] == [("INBOX", back.message_id)]

    desk.run(work)


def test_a_deleted_mailbox_is_another_one_of_the_same_name(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.create("Projects/Old")
        before = box(account, "Projects/Old")
        await file(account, 1, 2, name="Projects/Old")
        await expunge(account, 1, name="Projects/Old")
        await account.delete(before.id)
        assert {one.mailbox for one in find(account)} == {"Projects/Old"}
        assert await restore(account, Which(mailbox="Projects")) == {"Projects/Old": 2}
        after = box(account, "Projects/Old")
        assert after.id != before.id
        assert after.uidvalidity > before.uidvalidity
        assert [e.uid for e in entries(account, "Projects/Old")] == [1, 2]

    desk.run(work)


def test_a_mailbox_that_was_empty_comes_back_too(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.delete((await account.create("Empty")).id)
        await restore(account)
        assert box(account, "Empty").messages == 0
        assert account._database.read(lambda r: kept.find_mailboxes(r, account.id, Which())) == []

    desk.run(work)


def test_the_rest_of_a_deleted_mailbox_follows_the_first_of_it(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.create("Plans")
        await file(account, 1, 2, 3, name="Plans")
        await account.delete(box(account, "Plans").id)
        assert await restore(account, Which(msgid="m2@demo.test")) == {"Plans": 1}
        await account.rename(box(account, "Plans").id, "Done")
        assert await restore(account, Which(subject="NUMBER 3")) == {"Done": 1}
        await account.delete(box(account, "Done").id)
        assert await restore(account) == {"Done": 3}

    desk.run(work)


def test_a_renamed_mailbox_gets_back_what_was_deleted_from_it(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.create("Plans")
        await file(account, 1, name="Plans")
        await expunge(account, 1, name="Plans")
        await account.rename(box(account, "Plans").id, "Done")
        assert await restore(account, Which(mailbox="Done")) == {"Done": 1}

    desk.run(work)


def test_into_another_mailbox(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.create("Plans")
        await file(account, 1, name="Plans")
        await account.delete(box(account, "Plans").id)
        assert await restore(account, to="Found/Again") == {"Found/Again": 1}
        assert account.mailbox("Plans") is None

    desk.run(work)


def test_who_looks_for_a_time_finds_what_was_deleted_then(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await file(account, 1, 2)
        await expunge(account, 1, 2)
        await account._database.write(lambda tx: tx.run("UPDATE kept SET at = 1000 WHERE uid = 1"))
        assert [one.uid for one in find(account, Which(until=2000))] == [1]
        assert [one.uid for one in find(account, Which(since=2000))] == [2]
        assert [one.uid for one in find(account)] == [2, 1]

    desk.run(work)


def blobs(reader: Reader) -> list[tuple[int, bool]]:
    rows = reader.rows("SELECT refs, freed_at IS NOT NULL FROM blob ORDER BY id")
    return [(refs, bool(freed)) for refs, freed in rows]


def test_after_its_time_it_is_erased_and_its_octets_with_it(desk: Desk) -> None:
    async def work(account: Account) -> None:
        database = account._database
        await file(account, 1, 2)
        await expunge(account, 1)
        await account.delete((await account.create("Plans")).id)
        (plans,) = database.read(lambda r: kept.find_mailboxes(r, account.id, Which()))
        now = find(account)[0].at
        assert await sweep_kept(database, now) == 0
        assert database.read(blobs) == [(1, False), (1, False)]
        assert await sweep_kept(database, plans.at + 1.0) == 1
        assert find(account) == []
        assert database.read(lambda r: kept.find_mailboxes(r, account.id, Which())) == []
        assert database.read(blobs) == [(0, True), (1, False)]
        assert database.read(lambda r: r.value("SELECT count(*) FROM message")) == 1
        packs = desk.data / "packs"
        freed = database.read(lambda r: r.value("SELECT freed_at FROM blob WHERE refs = 0"))
        assert freed >= now
        assert await sweep_blobs(database, packs, freed + SAFE_SECONDS) == 0
        assert await sweep_blobs(database, packs, freed + SAFE_SECONDS + 1) == 1

    desk.run(work)


def test_more_than_one_transaction_erases_are_erased(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.append(box(account).id, [message(n) for n in range(kept.STEP + 10)])
        await account.expunge(box(account).id, only_deleted=False)
        assert await sweep_kept(account._database, find(account)[0].at + 1.0) == kept.STEP + 10

    desk.run(work)


def test_with_no_retention_nothing_is_kept(desk: Desk) -> None:
    async def work(account: Account) -> None:
        account._keep = Retention(deleted=0).keeps
        await account.create("Plans")
        await file(account, 1, name="Plans")
        await account.delete(box(account, "Plans").id)
        assert find(account) == []
        assert account._database.read(blobs) == [(0, True)]
        assert account._database.read(lambda r: kept.find_mailboxes(r, account.id, Which())) == []

    desk.run(work)


def test_a_message_without_a_mailbox_has_a_place_all_the_same(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.create("Plans")
        await file(account, 1, name="Plans")
        await expunge(account, 1, name="Plans")
        account._keep = False
        await account.delete(box(account, "Plans").id)
        assert await restore(account) == {kept.NAMELESS: 1}

    desk.run(work)


def test_sessions_see_what_came_back(desk: Desk) -> None:
    async def work(first: Store, second: Store) -> None:
        account = first.account(desk.account_id)
        await file(account, 1, 2)
        await expunge(account, 1)
        other = second.account(desk.account_id)
        before = box(other).highest_modseq
        await restore(account)
        changes = other.changes(box(other).id, before)
        assert [e.uid for e in changes.entries] == [3]
        assert [e.uid for e in entries(other)] == [2, 3]

    desk.run_two(work)


def test_the_queue_keeps_what_its_sender_has_deleted(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await file(account, 1)
        await account._database.write(lambda tx: tx.run("UPDATE blob SET refs = 2"))
        await account._database.write(
            lambda tx: tx.run(
                "INSERT INTO queue_item (created, blob_id, prefix, size, trail_id, ret, envid, body,"
                " smtputf8) VALUES (0, 1, '', 0, 1, '', '', '7BIT', 0)"
            )
        )
        await expunge(account, 1)
        await sweep_kept(account._database, find(account)[0].at + 1.0)
        assert account._database.read(blobs) == [(1, False)]

    desk.run(work)


def test_an_account_that_is_half_erased_is_no_more_and_the_rest_goes_next_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(account: Account) -> None:
        await file(account, 1, 2, 3, 4, 5)
        await expunge(account, 1)

    def erase(tx: Transaction) -> bool:
        return kept_accounts.erase_account(tx, desk.account_id, who="test")

    desk.run(work)
    monkeypatch.setattr(kept_accounts, "STEP", 2)
    with open_offline(desk.data) as database, closing(PackReader(desk.data / "packs")) as packs:
        database.write(lambda tx: remove_account(tx, "ada@demo.test", who="test"))
        (gone,) = database.read(kept_accounts.kept_accounts)
        assert not database.write(erase)
        assert database.read(lambda reader: list(check(reader, packs))) == []
        assert database.read(kept_accounts.kept_accounts) == []
        with pytest.raises(NoSuchAccount, match="is kept no more"):
            database.write(lambda tx: kept_accounts.restore_account(tx, gone, who="test"))
        assert database.read(lambda reader: kept_accounts.expired(reader, 0)) == [desk.account_id]
        while not database.write(erase):
            pass
        for table in ("entry", "kept", "message", "mailbox", "credential", "kept_account"):
            assert database.read(lambda r, table=table: r.value(f"SELECT count(*) FROM {table}")) == 0  # type: ignore[misc]
        assert database.write(erase)
