"""Mailbox names, creation, renaming and removal (RFC 3501 §6.3.3 to §6.3.9)."""

import pytest

from postroad.store.account import Account
from postroad.store.errors import AlreadyExists, BadMailboxName, Conflict
from postroad.store.mailboxes import normal_name
from tests.unit.store.conftest import Desk, message


def names(account: Account) -> list[str]:
    return [mailbox.name for mailbox in account.mailboxes()]


def test_an_account_starts_with_its_special_mailboxes(desk: Desk) -> None:
    async def work(account: Account) -> None:
        uses = {m.name: m.special_use for m in account.mailboxes()}
        assert list(uses) == ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"]
        assert uses["Sent"] == "\\Sent"
        assert account.subscriptions() == sorted(uses)

    desk.run(work)


def test_missing_levels_are_made(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.create("Work/2026/Invoices")
        assert {"Work", "Work/2026", "Work/2026/Invoices"} <= set(names(account))
        with pytest.raises(AlreadyExists):
            await account.create("Work/2026")

    desk.run(work)


def test_a_mailbox_made_again_has_another_validity(desk: Desk) -> None:
    async def work(account: Account) -> None:
        first = await account.create("Once")
        await account.delete(first.id)
        second = await account.create("Once")
        assert second.uidvalidity > first.uidvalidity
        assert second.id != first.id

    desk.run(work)


def test_children_follow_a_rename_and_survive_a_removal(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.create("A/B")
        parent = account.mailbox("A")
        assert parent is not None
        await account.rename(parent.id, "X/Y")
        assert {"X", "X/Y", "X/Y/B"} <= set(names(account))
        assert "A" not in names(account)
        with pytest.raises(Conflict):
            await account.rename(parent.id, "X/Y/Z")
        await account.delete(parent.id)
        assert "X/Y/B" in names(account)
        await account.rename_level("X/Y", "Q")
        assert "Q/B" in names(account)

    desk.run(work)


def test_renaming_inbox_moves_its_messages(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = account.mailbox("INBOX")
        assert inbox is not None
        await account.append(inbox.id, [message(1), message(2)])
        await account.rename(inbox.id, "Old mail")
        old, new = account.mailbox("Old mail"), account.mailbox("INBOX")
        assert old is not None
        assert new is not None
        assert (old.messages, new.messages) == (2, 0)
        with pytest.raises(Conflict):
            await account.delete(inbox.id)

    desk.run(work)


def test_a_subscription_outlives_its_mailbox(desk: Desk) -> None:
    async def work(account: Account) -> None:
        made = await account.create("Lists")
        await account.subscribe("Lists", on=True)
        await account.delete(made.id)
        assert "Lists" in account.subscriptions()

    desk.run(work)


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", "a/../b", "..", "a\0b", "a\nb", "50%", "a*", "n" * 1001]
)
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(BadMailboxName):
        normal_name(name)


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("inbox", "INBOX"),
        ("iNbOx/Sub", "INBOX/Sub"),
        ("Entwu\u0308rfe", "Entw\u00fcrfe"),
        ("~peter", "~peter"),
    ],
)
def test_names_have_one_form(name: str, normal: str) -> None:
    assert normal_name(name) == normal
