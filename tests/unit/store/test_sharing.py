"""What is shared outlives a lost index, comes back with its mailbox, and goes with its account."""

import inspect
from typing import get_args

import pytest

from postroad.directory.accounts import add_account, remove_account
from postroad.directory.domains import add_domain
from postroad.model.flags import Flag
from postroad.model.rights import Anyone, BadRights, parse_rights, shown, stored
from postroad.store import kept, seen, sharing
from postroad.store.account import Account
from postroad.store.crossing import Place, mark_seen
from postroad.store.guest import GuestAccount
from postroad.store.offline import open_offline
from postroad.store.reading import AccountReading
from postroad.store.store import Store
from tests.unit.store.conftest import Desk, message
from tests.unit.store.test_rebuild import problems, rebuilt


@pytest.fixture
def bob(desk: Desk) -> int:
    with open_offline(desk.data) as database:
        return database.write(lambda tx: add_account(tx, "bob@demo.test", who="test")).id


def give(desk: Desk, mailbox_id: int, to_id: int, rights: str) -> None:
    with open_offline(desk.data) as database:
        database.write(
            lambda tx: sharing.change(
                tx, desk.account_id, mailbox_id, to_id, negative=False, rights=parse_rights(rights)
            )
        )


def rights(desk: Desk, mailbox_id: int, user_id: int, anyone: Anyone = "domain") -> str:
    with open_offline(desk.data) as database:
        return stored(
            database.read(lambda r: sharing.rights_of(r, desk.account_id, mailbox_id, user_id, anyone))
        )


def test_rebuild_keeps_shares_what_was_seen_and_copies_between_accounts(desk: Desk, bob: int) -> None:
    async def fill(account: Account) -> None:
        await account.append(1, [message(1), message(2)])

    desk.run(fill)
    give(desk, 1, bob, "lrs")
    give(desk, 1, sharing.ANYONE, "l")
    give(desk, 1, sharing.ANYONE, "")

    async def work(store: Store, _: Store) -> None:
        guest = store.guest(desk.account_id, bob, "Other Users/ada@demo.test/")
        await guest.store_flags(1, [(1, 2)], "add", Flag.SEEN)
        await guest.store_flags(1, [(2, 2)], "remove", Flag.SEEN)
        await guest.carry(1, [(1, 2)], store.account(bob), 1, None, move=False)

    desk.run_two(work)
    rebuilt(desk)
    assert problems(desk.data) == []
    assert rights(desk, 1, bob) == "lrs"
    assert rights(desk, 1, 99) == ""
    with open_offline(desk.data) as database:
        found = database.read(lambda r: seen.entries(r, desk.account_id, 1, bob, [(1, 9)]))
        assert [entry.flags for entry in found] == [Flag.SEEN, 0]

    async def look(store: Store, _: Store) -> None:
        copies = store.account(bob).entries(1, [(1, 9)])
        assert [entry.flags for entry in copies] == [Flag.SEEN, 0]
        octets = [store.account(bob).open(entry.message_id).read(0, entry.size) for entry in copies]
        assert octets == [message(1).body, message(2).body]

    desk.run_two(look)


def test_undelete_brings_the_list_back(desk: Desk, bob: int) -> None:
    async def make(account: Account) -> int:
        return (await account.create("Plans")).id

    old = desk.run(make)
    give(desk, old, bob, "lr")

    async def delete(account: Account) -> None:
        await account.delete(old)

    desk.run(delete)
    assert rights(desk, old, bob) == "lr"  # of a mailbox that nobody can name
    with open_offline(desk.data) as database:
        database.write(lambda tx: kept.restore_mailbox(tx, desk.account_id, old))

    async def look(account: Account) -> int:
        found = account.mailbox("Plans")
        assert found is not None
        return found.id

    assert rights(desk, desk.run(look), bob) == "lr"
    assert problems(desk.data) == []


def test_an_erased_account_leaves_nothing_with_others(desk: Desk, bob: int) -> None:
    give(desk, 1, bob, "lrs")
    with open_offline(desk.data) as database:
        database.write(lambda tx: mark_seen(tx, Place(desk.account_id, 1, bob), [1], on=True))
        database.write(lambda tx: remove_account(tx, "bob@demo.test", who="test", keep=False))
        for table in ("share", "seen"):
            assert database.read(lambda r, t=table: r.value(f"SELECT count(*) FROM {t}")) == 0  # type: ignore[misc]


def test_marks_of_messages_that_are_gone_are_swept(desk: Desk, bob: int) -> None:
    async def work(store: Store, _: Store) -> None:
        ada = store.account(desk.account_id)
        await ada.append(1, [message(1), message(2)])
        await store.database.write(lambda tx: mark_seen(tx, Place(desk.account_id, 1, bob), [1, 2], on=True))
        await ada.expunge(1, [(1, 1)], only_deleted=False)
        assert await seen.forget_gone(store.database) == 1
        assert store.database.ask(lambda r: r.rows("SELECT uid FROM seen")) == [(2,)]

    desk.run_two(work)


@pytest.mark.parametrize(
    ("said", "kept_as", "told"),
    [("lrswida", "lrswitea", "lrswiteda"), ("c", "kx", "kxc"), ("", "", ""), ("x", "x", "xc")],
)
def test_rights_of_rfc_2086_become_those_of_rfc_4314(said: str, kept_as: str, told: str) -> None:
    assert stored(parse_rights(said)) == kept_as
    assert shown(parse_rights(said)) == told


@pytest.mark.parametrize("said", ["L", "q", "1", "l r"])
def test_other_letters_are_no_rights(said: str) -> None:
    with pytest.raises(BadRights):
        parse_rights(said)


def test_every_verb_that_writes_is_a_guests_own() -> None:
    """What a guest inherits asks nobody for rights: it only reads, or goes by what does ask."""
    inherited = {
        name
        for name, member in (vars(AccountReading) | vars(Account)).items()
        if (inspect.iscoroutinefunction(member) or name in ("file", "remove", "moving"))
        and name not in vars(GuestAccount)
    }
    assert inherited == {
        *("_parts", "_part_by_part", "vanished", "keep_ancestors", "annotate", "carry", "moving", "replace"),
    }


def test_for_whom_anyone_stands(desk: Desk, bob: int) -> None:
    with open_offline(desk.data) as database:
        database.write(lambda tx: add_domain(tx, "another.test", who="test"))
        carol = database.write(lambda tx: add_account(tx, "carol@another.test", who="test")).id
    give(desk, 1, sharing.ANYONE, "lr")
    assert [rights(desk, 1, bob, anyone) for anyone in get_args(Anyone)] == ["lr", "lr", ""]
    assert [rights(desk, 1, carol, anyone) for anyone in get_args(Anyone)] == ["", "lr", ""]
    give(desk, 1, carol, "ls")
    with open_offline(desk.data) as database:
        owner = desk.account_id
        database.write(
            lambda tx: sharing.change(tx, owner, 1, sharing.ANYONE, negative=True, rights=frozenset("s"))
        )

        def reads(user_id: int, anyone: Anyone) -> bool:
            return database.read(lambda r: sharing.reads_any(r, owner, user_id, anyone))

        def sees(user_id: int, anyone: Anyone) -> bool:
            return owner in database.read(lambda r: sharing.visible(r, user_id, anyone))

        assert [reads(carol, anyone) for anyone in get_args(Anyone)] == [False, True, False]
        assert [sees(bob, anyone) for anyone in get_args(Anyone)] == [True, True, False]
    assert [rights(desk, 1, carol, anyone) for anyone in get_args(Anyone)] == ["l", "lr", "l"]
