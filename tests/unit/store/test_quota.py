"""What the accounts of a domain may hold together."""

from pathlib import Path

import pytest

from postroad.directory.accounts import add_account, remove_account
from postroad.directory.domains import add_domain, domain, set_quota
from postroad.directory.kept_accounts import kept_accounts, restore_account
from postroad.store.errors import OverQuota
from postroad.store.offline import open_offline
from postroad.store.store import Store
from tests.unit.store.conftest import Desk, message
from tests.unit.store.test_rebuild import rebuilt


def bound(data: Path, octets: int | None, messages: int | None) -> None:
    with open_offline(data) as database:
        database.write(
            lambda tx: set_quota(tx, "demo.test", who="test", quota_bytes=octets, quota_messages=messages)
        )


@pytest.fixture
def bob(desk: Desk) -> int:
    with open_offline(desk.data) as database:
        database.write(lambda tx: add_domain(tx, "other.test", who="test"))
        database.write(lambda tx: add_account(tx, "eve@other.test", who="test"))
        return database.write(lambda tx: add_account(tx, "bob@demo.test", who="test")).id


def test_a_domain_is_full_for_all_its_accounts_and_no_others(desk: Desk, bob: int) -> None:
    bound(desk.data, None, 2)

    async def work(store: Store, _: Store) -> None:
        ada, other, eve = (store.account(number) for number in (desk.account_id, bob, desk.account_id + 1))
        await ada.append(1, [message(1)])
        assert not other.quota().is_full
        await other.append(1, [message(2)])
        assert ada.quota().is_full
        with pytest.raises(OverQuota):
            await ada.append(1, [message(3)])
        with pytest.raises(OverQuota):
            await other.copy(1, [(1, 1)], 2)
        await other.move(1, [(1, 1)], 2)
        await eve.append(1, [message(4), message(5), message(6)])
        await ada.expunge(1, only_deleted=False)
        await other.copy(2, [(1, 1)], 1)

    desk.run_two(work)


def test_octets_count_too_and_the_room_is_the_lesser(desk: Desk, bob: int) -> None:
    bound(desk.data, 1000, None)

    async def work(store: Store, _: Store) -> None:
        await store.account(bob).append(1, [message(1)])
        assert store.account(desk.account_id).quota().room == 1000 - len(message(1).body)
        with pytest.raises(OverQuota):
            await store.account(desk.account_id).append(1, [message(2, b"x" * 1000)])

    desk.run_two(work)
    bound(desk.data, None, None)

    async def again(store: Store, _: Store) -> None:
        assert store.account(desk.account_id).quota().room is None
        await store.account(desk.account_id).append(1, [message(2, b"x" * 1000)])

    desk.run_two(again)


def test_accounts_that_come_later_are_bound_and_a_rebuild_knows_it(desk: Desk, bob: int) -> None:
    bound(desk.data, 5000, 7)
    with open_offline(desk.data) as database:
        database.write(lambda tx: add_account(tx, "cyd@demo.test", who="test"))
        database.write(lambda tx: remove_account(tx, "bob@demo.test", who="test"))
        [kept] = database.read(kept_accounts)
        database.write(lambda tx: restore_account(tx, kept, who="test"))
    for _ in range(2):
        with open_offline(desk.data) as database:
            limited = database.read(lambda r: r.rows("SELECT address FROM account WHERE domain_limited = 1"))
            assert sorted(limited) == [("ada@demo.test",), ("bob@demo.test",), ("cyd@demo.test",)]
            found = database.read(lambda r: domain(r, "demo.test"))
            assert (found.quota_bytes, found.quota_messages) == (5000, 7)
        rebuilt(desk)
