"""Tombstones are kept for a time and up to a number, with a floor that tells which are missing."""

from typing import Final

from postroad.store.account import Account
from postroad.store.store import Store
from postroad.store.tombstones import MARK_SECONDS, forget_tombstones
from postroad.store.types import Mailbox
from tests.unit.store.conftest import Desk, message

DAYS: Final = 86400.0
_ENDLESS: Final = 1000 * DAYS


def inbox(account: Account) -> Mailbox:
    found = account.mailbox("INBOX")
    assert found is not None
    return found


async def fill(account: Account, count: int) -> int:
    """File messages; give the mailbox's id."""
    box = inbox(account)
    await account.append(box.id, [message(n) for n in range(count)])
    return box.id


async def expunge(account: Account, box: int, *uids: int) -> int:
    """Expunge messages together; give the modseq of that."""
    await account.expunge(box, [(uid, uid) for uid in uids], only_deleted=False)
    return inbox(account).highest_modseq


async def forget(account: Account, now: float, *, seconds: float = _ENDLESS, most: int = 1000) -> int:
    return await forget_tombstones(account._database, now, seconds=seconds, most=most)


def test_what_is_old_is_forgotten_and_the_floor_says_so(desk: Desk) -> None:
    async def work(account: Account) -> None:
        box = await fill(account, 10)
        before = inbox(account).highest_modseq
        first = await expunge(account, box, 1, 2)
        assert await forget(account, 0.0, seconds=30 * DAYS) == 0
        second = await expunge(account, box, 3)
        assert await forget(account, 2 * DAYS, seconds=30 * DAYS) == 0
        assert await account.vanished(box, before) == [1, 2, 3]
        # The first were there when a mark was made that is older than thirty days now.
        assert await forget(account, 31 * DAYS, seconds=30 * DAYS) == 2
        assert await account.vanished(box, before) is None
        assert await account.vanished(box, first - 1) is None
        assert await account.vanished(box, first) == [3]
        assert await forget(account, 33 * DAYS, seconds=30 * DAYS) == 1
        assert await account.vanished(box, first) is None
        assert await account.vanished(box, second) == []

    desk.run(work)


def test_a_mailbox_remembers_so_many(desk: Desk) -> None:
    async def work(account: Account) -> None:
        box = await fill(account, 10)
        modseqs = [await expunge(account, box, uid) for uid in range(1, 8)]
        assert await forget(account, 0.0, most=7) == 0
        await expunge(account, box, 8)
        assert await forget(account, MARK_SECONDS / 2, most=5) == 0, "they are counted once a day"
        assert await forget(account, MARK_SECONDS + 1.0, most=5) == 3
        assert await account.vanished(box, modseqs[2]) == [4, 5, 6, 7, 8]
        assert await account.vanished(box, modseqs[1]) is None

    desk.run(work)


def test_what_went_together_is_forgotten_together(desk: Desk) -> None:
    async def work(account: Account) -> None:
        box = await fill(account, 10)
        first = await expunge(account, box, *range(1, 7))
        await expunge(account, box, 7)
        assert await forget(account, 0.0, most=3) == 6
        assert await account.vanished(box, first - 1) is None
        assert await account.vanished(box, first) == [7]

    desk.run(work)


def test_an_account_at_rest_is_marked_once(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await fill(account, 1)
        count = "SELECT count(*) FROM modseq_mark"
        for day in range(5):
            await forget(account, day * DAYS)
            assert account._database.read(lambda r: r.value(count)) == 1

    desk.run(work)


def test_of_many_nothing_is_missing(desk: Desk) -> None:
    async def work(account: Account) -> None:
        box = await fill(account, 1)
        while inbox(account).messages < 5000:
            await account.copy(box, [(1, 1250)], box)
        before = inbox(account).highest_modseq
        await expunge(account, box, *range(1, 5000, 2))
        assert await account.vanished(box, before) == list(range(1, 5000, 2))
        assert await forget(account, 0.0, most=10) == 2500

    desk.run(work)


def test_a_listing_that_missed_tombstones_is_made_anew(desk: Desk) -> None:
    async def work(first: Store, second: Store) -> None:
        account, other = first.account(desk.account_id), second.account(desk.account_id)
        box = await fill(account, 10)
        assert len(await other.listing(box)) == 10
        await expunge(account, box, 2, 4)
        await forget(account, 0.0, most=0)
        assert not other.changes(box, 1).complete
        assert list((await other.listing(box)).uids) == [1, 3, 5, 6, 7, 8, 9, 10]

    desk.run_two(work)


def test_a_deleted_mailbox_has_none(desk: Desk) -> None:
    async def work(account: Account) -> None:
        box = await account.create("Gone")
        await account.append(box.id, [message()])
        await account.delete(box.id)
        assert account._database.read(lambda r: r.value("SELECT count(*) FROM tombstone")) == 0
        assert await account.vanished(box.id, 1) is None

    desk.run(work)
