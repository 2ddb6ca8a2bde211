"""Cutting changes into parts."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from postroad.store.account import Account
from postroad.store.kept import holdings
from postroad.store.parts import PART, parts
from tests.unit.store.conftest import Desk, message


@given(st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60)), st.integers(1, 7))
def test_every_wanted_uid_is_in_one_part(have: set[int], want: set[int], size: int) -> None:
    uids = array("I", sorted(have))
    found = list(parts(uids, [(uid, uid) for uid in sorted(want)], size))
    named = [uid for part in found for low, high in part for uid in uids if low <= uid <= high]
    assert named == sorted(have & want)
    assert all(sum(low <= uid <= high for low, high in part for uid in uids) <= size for part in found)


def test_a_change_of_many_is_the_same_as_one_of_few(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = account.mailboxes()[0].id
        count = PART + 200
        await account.append(inbox, [message(n) for n in range(count)])
        result = await account.store_flags(inbox, [(1, 2**32 - 1)], "add", 4)
        assert [entry.uid for entry in result.entries] == list(range(1, count + 1))
        assert await account.expunge(inbox) == list(range(1, count + 1))
        assert account.mailboxes()[0].messages == 0

    desk.run(work)


def test_a_large_inbox_is_renamed_in_parts_and_a_large_mailbox_removed_in_one(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = account.mailboxes()[0].id
        count = PART + 200
        await account.append(inbox, [message(n) for n in range(count)])
        told: list[int] = []
        await account.rename(inbox, "Old", told.append)
        old = account.mailbox("Old")
        assert old is not None
        assert told == [PART, count]
        assert (old.messages, account.mailboxes()[0].messages) == (count, 0)
        await account.delete(old.id)
        assert account.mailbox("Old") is None
        kept = account._database.read(lambda r: holdings(r, account.id))
        assert (kept.messages, account.quota().messages_used) == (count, 0)

    desk.run(work)
