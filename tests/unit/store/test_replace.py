"""A message in the place of another: one step, which can be undone and survives a rebuild (RFC 8508)."""

import pytest

from postroad.db.transaction import Transaction
from postroad.directory.accounts import set_quota
from postroad.store import kept
from postroad.store.account import EVERYTHING, Account
from postroad.store.errors import NoSuchMessage, OverQuota
from postroad.store.kept import Which
from postroad.store.url_keys import UrlKeys
from tests.unit.store.conftest import Desk, message
from tests.unit.store.test_rebuild import problems, rebuilt


def uids(account: Account, name: str = "INBOX") -> list[int]:
    found = account.mailbox(name)
    assert found is not None
    return [entry.uid for entry in account.entries(found.id, EVERYTHING)]


async def replace(account: Account, uid: int, number: int, to: str = "INBOX") -> int:
    inbox, target = account.mailbox("INBOX"), account.mailbox(to)
    assert inbox is not None
    assert target is not None
    return (await account.replace(inbox.id, uid, account, target.id, message(number)))[1]


async def begin(account: Account) -> None:
    inbox = account.mailbox("INBOX")
    assert inbox is not None
    await account.append(inbox.id, [message(1)])


def test_the_old_one_can_be_restored(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await begin(account)
        assert await replace(account, 1, 2) == 2
        assert uids(account) == [2]

        def restore(tx: Transaction) -> dict[str, int]:
            found = kept.find(tx, account.id, Which())
            return kept.restore(tx, account.id, found, to=None, over_quota=False)

        assert await account._database.write(restore) == {"INBOX": 1}
        assert uids(account) == [2, 3]

    desk.run(work)
    assert problems(desk.data) == []


def test_a_rebuilt_store_has_the_new_one_alone(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await begin(account)
        await replace(account, 1, 2, to="Drafts")

    desk.run(work)
    rebuilt(desk)

    async def look(account: Account) -> None:
        assert uids(account) == []
        assert uids(account, "Drafts") == [1]

    desk.run(look)
    assert problems(desk.data) == []


def test_what_cannot_be_done_leaves_all_as_it_was(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await begin(account)
        used = account.quota().bytes_used
        await account._database.write(
            lambda tx: set_quota(tx, "ada@demo.test", who="test", quota_bytes=used, quota_messages=None)
        )
        with pytest.raises(OverQuota):
            await replace(account, 1, 10_000)
        with pytest.raises(NoSuchMessage):
            await replace(account, 7, 2)
        assert uids(account) == [1]
        assert await replace(account, 1, 2) == 2
        assert account.quota().bytes_used == used

    desk.run(work)
    assert problems(desk.data) == []


def test_keys_of_urls_go_with_their_mailbox(desk: Desk) -> None:
    async def work(account: Account) -> None:
        made = await account.create("Plans")
        keys = desk_keys(account)
        key = await keys.made(made.id)
        assert await keys.made(made.id) == key
        await keys.renew(made.id)
        assert keys.key(made.id) != key
        await account.delete(made.id)
        assert keys.key(made.id) is None

    desk.run(work)


def desk_keys(account: Account) -> UrlKeys:
    return UrlKeys(account.id, account._database)
