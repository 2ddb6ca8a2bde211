"""Two workers over one data directory: they take turns, wake one another and lose nothing."""

import asyncio
import resource
from pathlib import Path

import pytest

from postroad.db.transaction import Transaction
from postroad.model.refusal import Unavailable
from postroad.store.account import Account
from postroad.store.blobs.pack import ActivePack
from postroad.store.blobs.record import scan
from postroad.store.errors import NoSuchMailbox
from postroad.store.offline import open_offline
from postroad.store.store import Store
from tests.unit.store.conftest import Desk, message


def test_a_change_wakes_the_other_worker(desk: Desk) -> None:
    async def work(first: Store, second: Store) -> None:
        woken = asyncio.Event()
        stop = second.watch.subscribe(f"account:{desk.account_id}", woken.set)
        account, other = first.account(desk.account_id), second.account(desk.account_id)
        inbox = account.mailboxes()[0].id
        await other.listing(inbox)
        await account.append(inbox, [message()])
        async with asyncio.timeout(30):
            await woken.wait()
        assert list((await other.listing(inbox)).uids) == [1]
        stop()

    desk.run_two(work)


def test_both_write_and_uids_are_given_once(desk: Desk) -> None:
    async def work(first: Store, second: Store) -> None:
        accounts = [store.account(desk.account_id) for store in (first, second)]
        inbox = accounts[0].mailboxes()[0].id
        filed = await asyncio.gather(*(a.append(inbox, [message(n)]) for n in range(40) for a in accounts))
        assert sorted(uid for _, uids in filed for uid in uids) == list(range(1, 81))
        assert len((await accounts[1].listing(inbox)).uids) == 80

    desk.run_two(work)
    assert len(list((desk.data / "packs").glob("*.pack"))) == 2


def test_one_failure_in_a_group_is_its_own(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = account.mailboxes()[0].id
        results = await asyncio.gather(
            account.append(inbox, [message(1)]),
            account.append(999, [message(2)]),
            account.append(inbox, [message(3)]),
            return_exceptions=True,
        )
        assert [type(r) for r in results] == [tuple, NoSuchMailbox, tuple]
        assert list((await account.listing(inbox)).uids) == [1, 2]

    desk.run(work)
    pack = (desk.data / "packs" / "00000001.pack").read_bytes()
    assert [r.kind for r in scan(pack)].count("blob") == 2  # what was undone is not in the pack


def test_what_is_undone_first_of_all_leaves_nothing(desk: Desk) -> None:
    async def work(account: Account) -> None:
        with pytest.raises(NoSuchMailbox):
            await account.append(999, [message(1)])
        await account.append(account.mailboxes()[0].id, [message(2)])

    desk.run(work)
    blobs = [
        record
        for pack in (desk.data / "packs").glob("*.pack")
        for record in scan(pack.read_bytes())
        if record.kind == "blob"
    ]
    assert len(blobs) == 1


def test_tools_do_not_leave_packs_behind(desk: Desk) -> None:
    before = list((desk.data / "packs").iterdir())
    for _ in range(3):
        with open_offline(desk.data) as database:
            database.write(lambda tx: tx.wake("directory"))
    assert list((desk.data / "packs").iterdir()) == before


def test_a_disk_that_takes_no_more_refuses_and_recovers(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = account.mailboxes()[0].id
        await account.append(inbox, [message(1)])
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # a real EFBIG from write(2)
        try:
            with pytest.raises(Unavailable):
                await account.append(inbox, [message(2)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert list((await account.listing(inbox)).uids) == [1]
        await account.append(inbox, [message(3)])
        assert list((await account.listing(inbox)).uids) == [1, 2]
        stored = account.open(account.entries(inbox, [(2, 2)])[0].message_id)
        assert b"number 3" in stored.read(0, stored.size)

    desk.run(work)


def test_what_was_never_acknowledged_is_overwritten(desk: Desk) -> None:
    async def one(account: Account) -> int:
        await account.append(account.mailboxes()[0].id, [message(1)])
        return int(account._database.read(lambda r: r.value("SELECT tail FROM pack WHERE id = 1")))

    tail = desk.run(one)
    pack = desk.data / "packs" / "00000001.pack"
    with pack.open("r+b") as file:  # a group that was written when the power went
        file.seek(tail)
        file.write(b"postroad/1 blob length=7 sha256=00 time=1\nphantom\n")

    async def two(account: Account) -> None:
        await account.append(account.mailboxes()[0].id, [message(2)])

    desk.run(two)
    octets = pack.read_bytes()
    assert b"phantom" not in octets
    assert [r.kind for r in scan(octets)].count("blob") == 2


def test_a_full_pack_is_followed_by_another(tmp_path: Path, desk: Desk) -> None:
    small = ActivePack(desk.data / "packs", size=4096)
    with open_offline(desk.data) as database:
        database._packs = small  # the smallest that shows the turn of a page

        def fill(tx: Transaction) -> list[tuple[int, int]]:
            return [tx.packs.blob(b"x" * 1500, bytes(32), 0) for _ in range(5)]

        places = database.write(fill)
    small.close()
    assert len({pack for pack, _ in places}) >= 2
    for pack, offset in places:
        octets = (desk.data / "packs" / f"{pack:08d}.pack").read_bytes()
        assert octets[offset : offset + 1500] == b"x" * 1500
