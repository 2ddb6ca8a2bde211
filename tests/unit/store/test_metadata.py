"""Annotations: they follow their mailbox, die with it, come back with it, and have bounds (RFC 5464)."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from postroad.config.limits import Limits
from postroad.directory.accounts import remove_account
from postroad.store import kept
from postroad.store.account import Account
from postroad.store.annotations import SERVER
from postroad.store.errors import LimitReached
from postroad.store.kept import Which
from postroad.store.metadata import ANY_DEPTH, Metadata
from postroad.store.offline import open_offline
from tests.unit.store.conftest import Desk
from tests.unit.store.test_rebuild import problems, rebuilt


def noted(account: Account, mailbox_id: int) -> Mapping[str, bytes]:
    return account.metadata().find(mailbox_id, ["/shared", "/private"], ANY_DEPTH)


def test_undelete_brings_annotations_back(desk: Desk) -> None:
    async def work(account: Account) -> int:
        made = await account.create("Plans")
        await account.metadata().put(made.id, {"/shared/comment": b"mine", "/private/a": b"1"})
        await account.delete(made.id)
        assert noted(account, (await account.create("Other")).id) == {}
        return made.id

    old = desk.run(work)
    with open_offline(desk.data) as database:
        database.write(lambda tx: kept.restore_mailbox(tx, desk.account_id, old))

    async def look(account: Account) -> Mapping[str, bytes]:
        found = account.mailbox("Plans")
        assert found is not None
        return noted(account, found.id)

    assert desk.run(look) == {"/shared/comment": b"mine", "/private/a": b"1"}
    with open_offline(desk.data) as database:
        found = database.read(lambda r: kept.find_mailboxes(r, desk.account_id, Which()))
        assert found == []
        database.write(lambda tx: kept.erase_names(tx, desk.account_id))
    assert problems(desk.data) == []


def test_rebuild_keeps_annotations(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = account.mailbox("INBOX")
        assert inbox is not None
        await account.metadata().put(inbox.id, {"/shared/comment": b"a b\r\n\0c", "/shared/gone": b"x"})
        await account.metadata().put(inbox.id, {"/shared/gone": None})
        await account.metadata().put(SERVER, {"/private/vendor/kit/a": b""})

    desk.run(work)
    rebuilt(desk)

    async def look(account: Account) -> None:
        inbox = account.mailbox("INBOX")
        assert inbox is not None
        assert noted(account, inbox.id) == {"/shared/comment": b"a b\r\n\0c"}
        assert noted(account, SERVER) == {"/private/vendor/kit/a": b""}

    desk.run(look)


def test_an_erased_account_leaves_none(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.metadata().put(SERVER, {"/private/vendor/kit/a": b"1"})

    desk.run(work)
    with open_offline(desk.data) as database:
        database.write(lambda tx: remove_account(tx, "ada@demo.test", who="test", keep=False))
        assert database.read(lambda r: r.value("SELECT count(*) FROM annotation")) == 0


def test_what_was_removed_is_forgotten_at_last(desk: Desk) -> None:
    """Names that come and go leave no more rows than a mailbox may have entries."""

    async def work(account: Account) -> None:
        few = Metadata(account.id, account.id, account._database, replace(Limits(), metadata_entries=5))
        for number in range(12):
            await few.put(SERVER, {f"/private/vendor/kit/{number}": b"1"})
            await few.put(SERVER, {f"/private/vendor/kit/{number}": None})
        assert len(account.metadata().changed(0)) == 5

    desk.run(work)


def test_an_account_holds_only_so_much(desk: Desk) -> None:
    async def work(account: Account) -> None:
        small = Metadata(account.id, account.id, account._database, replace(Limits(), metadata_size=2000))
        await small.put(SERVER, {"/private/vendor/kit/a": b"x" * 1400})
        with pytest.raises(LimitReached):
            await small.put(SERVER, {"/private/vendor/kit/b": b"1"})
        await small.put(SERVER, {"/private/vendor/kit/a": None, "/private/vendor/kit/b": b"1"})
        assert noted(account, SERVER) == {"/private/vendor/kit/b": b"1"}

    desk.run(work)
