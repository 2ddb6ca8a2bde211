"""Packed listings against the rows that they are made of."""

import asyncio
import random
from array import array

from postroad.model.flags import Flag
from postroad.store.account import EVERYTHING, Account
from postroad.store.listing import Batch, Listing, is_of_ours
from postroad.store.listings import STORED_FROM
from postroad.store.store import Store
from postroad.store.types import Changes, Entry
from tests.unit.store.conftest import Desk, message


def rows_of(batch: Batch) -> list[Entry]:
    """A batch as the rows it stands for."""
    columns = (batch.uids, batch.modseqs, batch.marks, batch.sizes, batch.dates, batch.message_ids)
    return [
        Entry(uid, modseq, batch.states[mark][0], batch.states[mark][1], size, date, message_id)
        for uid, modseq, mark, size, date, message_id in zip(*columns, strict=True)
    ]


def test_a_listing_follows_every_change(desk: Desk) -> None:
    async def work(first: Store, second: Store) -> None:
        chance = random.Random(7)
        account, other = first.account(desk.account_id), second.account(desk.account_id)
        inbox, archive = (box.id for box in account.mailboxes()[:2])
        await account.append(inbox, [message(n) for n in range(20)])
        for _ in range(60):
            low = chance.randint(1, 60)
            some = [(low, low + chance.randint(0, 5))]
            match chance.randrange(5):
                case 0:
                    await account.append(inbox, [message(n) for n in range(3)])
                case 1:
                    await account.store_flags(inbox, some, "add", Flag.SEEN, frozenset({f"k{low}"}))
                case 2:
                    await account.store_flags(inbox, some, "remove", Flag.SEEN)
                case 3:
                    await account.expunge(inbox, some, only_deleted=False)
                case _:
                    await account.move(inbox, some, archive)
                    await account.copy(archive, EVERYTHING, inbox)
            rows = account.entries(inbox, EVERYTHING)
            listing = await other.listing(inbox)
            assert rows_of(listing.batch(EVERYTHING, listing.uids)) == rows
            assert listing.first_unseen() == next((e.uid for e in rows if not e.flags & Flag.SEEN), 0)
            assert listing.keywords() == {e.keywords for e in rows}

    desk.run_two(work)


def test_what_sessions_hold_of_it_stays_as_it_was(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = account.mailboxes()[0].id
        await account.append(inbox, [message(n) for n in range(5)])
        told = (await account.listing(inbox)).uids
        await account.expunge(inbox, [(2, 2)], only_deleted=False)
        await account.append(inbox, [message(6)])
        listing = await account.listing(inbox)
        assert (list(told), list(listing.uids)) == ([1, 2, 3, 4, 5], [1, 3, 4, 5, 6])
        # Numbers count as the session was told, and what it was not told of is not there.
        batch = listing.batch([(1, 3), (5, 9)], told)
        assert (list(batch.uids), list(batch.numbers)) == ([1, 3, 5], [1, 3, 5])

    desk.run(work)


def test_sessions_that_come_at_once_share_one(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = account.mailboxes()[0].id
        await account.append(inbox, [message(n) for n in range(5)])
        first, *others = await asyncio.gather(*(account.listing(inbox) for _ in range(5)))
        assert all(other is first for other in others)

    desk.run(work)


def test_a_listing_that_cannot_be_brought_up_to_date_is_made_anew(desk: Desk) -> None:
    async def work(first: Store, second: Store) -> None:
        account, other = first.account(desk.account_id), second.account(desk.account_id)
        inbox = account.mailboxes()[0].id
        await account.append(inbox, [message(n) for n in range(5)])
        await other.listing(inbox)
        await account.expunge(inbox, [(2, 3)], only_deleted=False)
        await first.database.write(lambda tx: tx.run("DELETE FROM tombstone"))
        assert list((await other.listing(inbox)).uids) == [1, 4, 5]

    desk.run_two(work)


def test_many_may_go_at_once() -> None:
    listing = Listing(1, 1001)
    listing.extend([Entry(uid, 1, 0, "", 10 * uid, uid, uid) for uid in range(1, 1001)])
    told = listing.uids
    listing.apply(Changes(2, 1001, [], [*range(2, 900), 1500]))
    batch = listing.batch(EVERYTHING, told)
    assert list(batch.uids) == [1, *range(900, 1001)]
    assert list(batch.sizes) == [10 * uid for uid in batch.uids]
    assert told == array("I", range(1, 1001))


def test_a_copy_of_a_large_listing_outlives_the_worker(desk: Desk) -> None:
    async def fill(account: Account) -> None:
        archive = await account.create("Large")
        await account.append(archive.id, [message(n) for n in range(20)])
        while (await account.listing(archive.id)).uidnext <= STORED_FROM:
            await account.copy(archive.id, EVERYTHING, archive.id)
        await account.listing(archive.id)

    async def change(account: Account) -> None:  # of which no listing hears
        large = account.mailbox("Large")
        assert large is not None
        await account.store_flags(large.id, [(7, 9)], "add", Flag.FLAGGED, frozenset({"$Later"}))
        await account.expunge(large.id, [(20, 29)], only_deleted=False)
        await account.append(large.id, [message(1)])

    async def look(account: Account) -> None:
        large = account.mailbox("Large")
        assert large is not None
        listing = await account.listing(large.id)
        assert listing.changed == 14
        batch = listing.batch(EVERYTHING, listing.uids)
        assert rows_of(batch) == account.entries(large.id, EVERYTHING)

    async def delete(store: Store, _: Store) -> None:
        account = store.account(desk.account_id)
        large = account.mailbox("Large")
        assert large is not None
        await account.delete(large.id)
        assert store.database.read(lambda r: r.value("SELECT count(*) FROM listing")) == 0

    desk.run(fill)
    desk.run(change)
    desk.run(look)
    desk.run_two(delete)


def test_a_copy_that_lies_is_not_believed(desk: Desk) -> None:
    async def work(first: Store, second: Store) -> None:
        account, other = first.account(desk.account_id), second.account(desk.account_id)
        inbox = account.mailboxes()[0].id
        await account.append(inbox, [message(n) for n in range(20)])
        while (await account.listing(inbox)).uidnext <= STORED_FROM:
            await account.copy(inbox, EVERYTHING, inbox)
        listing = await account.listing(inbox)
        form, states, columns = listing.packed()
        lie = (states, columns[: len(columns) // len(listing) * 100])
        await first.database.write(
            lambda tx: tx.run(
                "INSERT OR REPLACE INTO listing VALUES (?, ?, ?, ?, ?, ?, ?)",
                *(desk.account_id, inbox, form, listing.modseq - 1, listing.uidnext, *lie),
            )
        )
        assert (await other.listing(inbox)).uids == listing.uids

    desk.run_two(work)


def test_a_column_grows_wider_where_a_value_does_not_go_into_it() -> None:
    def entry(uid: int, large: int, keyword: str) -> Entry:
        return Entry(uid, large, Flag.SEEN, keyword, large, -large, large)

    rows = [entry(1, 7, "few"), entry(2, 2**31, "few"), entry(3, 2**33, "few")]
    rows += [entry(uid, 8, f"k{uid}") for uid in range(4, 400)]
    listing = Listing(1, 400)
    listing.extend(rows[:1])
    listing.extend(rows[1:])
    changed = Entry(1, 2**40, 0, "another", 7, -7, 7)
    listing.apply(Changes(2**40, 400, [changed], []))
    form, states, columns = listing.packed()
    copy = Listing.unpacked(form, listing.modseq, listing.uidnext, states, columns)
    assert copy is not None
    for one in (listing, copy):
        assert rows_of(one.batch(EVERYTHING, one.uids)) == [changed, *rows[1:]]
        assert one.first_unseen() == 1
        assert one.keywords() == {"another", "few", *(f"k{uid}" for uid in range(4, 400))}
        assert one.octets == listing.octets


def test_a_copy_of_another_version_is_passed_over() -> None:
    form, states, columns = Listing(1, 1).packed()
    assert Listing.unpacked(form, 1, 1, states, columns) is not None
    assert Listing.unpacked(f"1{form[1:]}", 1, 1, states, columns) is None


def test_a_copy_of_another_version_makes_way_for_one_of_ours(desk: Desk) -> None:
    async def fill(account: Account) -> None:
        inbox = account.mailboxes()[0].id
        await account.append(inbox, [message(n) for n in range(20)])
        while (await account.listing(inbox)).uidnext <= STORED_FROM:
            await account.copy(inbox, EVERYTHING, inbox)
        await account.listing(inbox)

    async def look(store: Store, _: Store) -> None:
        await store.database.write(lambda tx: tx.run("UPDATE listing SET form = '1 little'"))
        account = store.account(desk.account_id)
        await account.listing(account.mailboxes()[0].id)

    async def check(store: Store, _: Store) -> None:
        assert is_of_ours(store.database.read(lambda r: r.value("SELECT form FROM listing")))

    desk.run(fill)
    desk.run_two(look)
    desk.run_two(check)
