"""What an account may do when it is full, and what it may not do to get past a limit."""

import pytest

from postroad.config.limits import Limits
from postroad.db.transaction import Transaction
from postroad.store import mailboxes
from postroad.store.account import Account
from postroad.store.errors import LimitReached, OverQuota
from tests.unit.store.conftest import Desk, message


def test_who_is_over_quota_can_still_move_to_the_trash(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox, trash = account.mailbox("INBOX"), account.mailbox("Trash")
        assert inbox is not None
        assert trash is not None
        await account.append(inbox.id, [message(1), message(2)])
        before = account.quota()
        await account._database.write(lambda tx: tx.run("UPDATE account SET quota_bytes = 10"))
        with pytest.raises(OverQuota):
            await account.copy(inbox.id, [(1, 1)], trash.id)
        assert (await account.move(inbox.id, [(1, 1)], trash.id)).target == [1]
        after = account.quota()
        assert (after.bytes_used, after.messages_used) == (before.bytes_used, before.messages_used)

    desk.run(work)


def test_renaming_makes_no_more_mailboxes_than_there_may_be(desk: Desk) -> None:
    few = Limits(mailboxes=7)

    def rename(tx: Transaction) -> None:
        made = mailboxes.by_name(tx, desk.account_id, "Archive")
        assert made is not None
        mailboxes.rename(tx, desk.account_id, made.id, "a/Archive", few)
        mailboxes.rename(tx, desk.account_id, made.id, "b/Archive", few)

    async def work(account: Account) -> None:
        with pytest.raises(LimitReached):
            await account._database.write(rename)

    desk.run(work)


def test_subscriptions_are_bounded_as_mailboxes_are(desk: Desk) -> None:
    few = Limits(mailboxes=7)  # every account begins with six, all subscribed

    def subscribe(tx: Transaction) -> None:
        mailboxes.subscribe(tx, desk.account_id, "seventh", True, few)
        with pytest.raises(LimitReached):
            mailboxes.subscribe(tx, desk.account_id, "eighth", True, few)
        mailboxes.subscribe(tx, desk.account_id, "seventh", False, few)
        mailboxes.subscribe(tx, desk.account_id, "eighth", True, few)

    async def work(account: Account) -> None:
        await account._database.write(subscribe)

    desk.run(work)
