"""Annotations of messages: they go where their message goes, die with it, come back with it (RFC 5257)."""

from typing import Any

import pytest
from msgspec.structs import replace

from postroad.config.limits import Limits
from postroad.db.transaction import Transaction
from postroad.directory.accounts import add_account, remove_account
from postroad.model.annotation import Annotation, part_of
from postroad.model.rights import parse_rights
from postroad.store import kept, message_annotations, sharing
from postroad.store.account import Account
from postroad.store.annotating import MessageAnnotations, annotate
from postroad.store.crossing import Place
from postroad.store.errors import LimitReached, NoSuchPart, NoteTooLarge, TooManyNotes
from postroad.store.kept import Which
from postroad.store.offline import open_offline
from postroad.store.store import Store
from tests.unit.store.conftest import Desk, message
from tests.unit.store.test_rebuild import problems, rebuilt

INBOX, ARCHIVE = 1, 2
BOTH = (Annotation("/comment", True, b"mine"), Annotation("/comment", False, b"ours\r\n\0"))


def noted(annotations: MessageAnnotations, mailbox_id: int) -> list[tuple[Any, ...]]:
    """Everything that can be seen in a mailbox: UID, whose, entry, value."""
    return [tuple(note) for note in annotations.find(mailbox_id, 1, 1 << 32)]


def counted(desk: Desk) -> int:
    with open_offline(desk.data) as database:
        return database.read(
            lambda r: r.value("SELECT octets FROM annotation_use WHERE account_id = ?", desk.account_id) or 0
        )


def test_they_go_with_a_message_that_is_copied_or_moved(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.append(INBOX, [message(1), message(2), replace(message(3), annotations=BOTH[:1])])
        await account.annotate(INBOX, [(1, 1)], BOTH)
        there = account.message_annotations()
        ada = desk.account_id
        mine, ours = (ada, "/comment", b"mine"), (0, "/comment", b"ours\r\n\0")
        assert noted(there, INBOX) == [(1, *ours), (1, *mine), (3, *mine)]
        await account.copy(INBOX, [(1, 3)], ARCHIVE)
        await account.move(INBOX, [(2, 3)], ARCHIVE)
        assert noted(there, ARCHIVE) == [(1, *ours), (1, *mine), (3, *mine), (5, *mine)]
        assert noted(there, INBOX) == [(1, *ours), (1, *mine)]

    desk.run(work)
    assert problems(desk.data) == []
    assert counted(desk) == 6 * 508 + 4 * 4 + 2 * 7


def test_the_other_users_own_are_not_copied(desk: Desk) -> None:
    with open_offline(desk.data) as database:
        bob = database.write(lambda tx: add_account(tx, "bob@demo.test", who="test")).id

    async def work(store: Store, _: Store) -> None:
        ada = store.account(desk.account_id)
        await ada.append(INBOX, [message(1)])
        await store.database.write(
            lambda tx: sharing.change(tx, ada.id, INBOX, bob, negative=False, rights=parse_rights("lr"))
        )
        guest = store.guest(ada.id, bob, "Other Users/ada@demo.test/")
        latest = ada.entries(INBOX, [(1, 1)])[0].modseq
        result = await guest.annotate(INBOX, [(1, 1)], [Annotation("/comment", True, b"bob's")])
        # Only bob hears of it: for ada nothing has changed.
        assert result.entries[0].modseq > latest
        assert ada.entries(INBOX, [(1, 1)])[0].modseq == latest
        assert guest.entries(INBOX, [(1, 1)])[0].modseq == result.modseq
        await ada.annotate(INBOX, [(1, 1)], BOTH)
        await ada.copy(INBOX, [(1, 1)], ARCHIVE)
        assert {whose for _, whose, _, _ in noted(guest.message_annotations(), INBOX)} == {0, bob}
        with open_offline(desk.data) as database:
            rows = database.read(
                lambda r: r.rows("SELECT user_id FROM message_annotation WHERE mailbox_id = ?", ARCHIVE)
            )
        assert rows == [(0,), (ada.id,)]

    desk.run_two(work)
    with open_offline(desk.data) as database:
        database.write(lambda tx: remove_account(tx, "bob@demo.test", who="test", keep=False))
        assert database.read(
            lambda r: r.rows("SELECT count(*) FROM message_annotation WHERE user_id = ?", bob)
        ) == [(0,)]
    assert problems(desk.data) == []


def test_undelete_brings_them_back(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.append(INBOX, [message(1), message(2)])
        made = await account.create("Plans")
        await account.annotate(INBOX, [(1, 2)], BOTH)
        await account.copy(INBOX, [(1, 2)], made.id)
        await account.expunge(INBOX, [(1, 1)], only_deleted=False)
        await account.delete(made.id)

    desk.run(work)
    assert problems(desk.data) == []
    with open_offline(desk.data) as database:

        def bring(tx: Transaction) -> object:
            found = kept.find(tx, desk.account_id, Which())
            return kept.restore(tx, desk.account_id, found, to=None, over_quota=False)

        database.write(bring)

    async def look(account: Account) -> None:
        plans = account.mailbox("Plans")
        assert plans is not None
        assert [uid for uid, *_ in noted(account.message_annotations(), plans.id)] == [1, 1, 2, 2]
        assert [uid for uid, *_ in noted(account.message_annotations(), INBOX)] == [2, 2, 3, 3]

    desk.run(look)
    assert problems(desk.data) == []


def test_what_is_erased_leaves_none(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.append(INBOX, [message(1), message(2)])
        await account.annotate(INBOX, [(1, 2)], BOTH)
        await account.expunge(INBOX, [(1, 1)], only_deleted=False)

    desk.run(work)
    with open_offline(desk.data) as database:
        database.write(lambda tx: kept.erase(tx, kept.find(tx, desk.account_id, Which())))
        assert database.read(lambda r: r.value("SELECT count(*) FROM message_annotation")) == 2
    assert problems(desk.data) == []
    with open_offline(desk.data) as database:
        database.write(lambda tx: remove_account(tx, "ada@demo.test", who="test", keep=False))
        assert database.read(lambda r: r.value("SELECT count(*) FROM message_annotation")) == 0
        assert database.read(lambda r: r.value("SELECT count(*) FROM annotation_use")) == 0


def test_rebuild_keeps_them(desk: Desk) -> None:
    async def work(account: Account) -> list[tuple[Any, ...]]:
        await account.append(INBOX, [message(1), message(2), replace(message(3), annotations=BOTH)])
        await account.annotate(INBOX, [(1, 2)], [*BOTH, Annotation("/altsubject", True, b"x")])
        await account.annotate(INBOX, [(2, 2)], [Annotation("/altsubject", True, None)])
        await account.copy(INBOX, [(1, 1)], ARCHIVE)
        await account.move(INBOX, [(2, 2)], ARCHIVE)
        await account.expunge(INBOX, [(3, 3)], only_deleted=False)
        there = account.message_annotations()
        return noted(there, INBOX) + noted(there, ARCHIVE)

    before = desk.run(work)
    rebuilt(desk)

    async def look(account: Account) -> list[tuple[Any, ...]]:
        there = account.message_annotations()
        return noted(there, INBOX) + noted(there, ARCHIVE)

    assert desk.run(look) == before
    assert problems(desk.data) == []


def test_their_bounds(desk: Desk) -> None:
    few = replace(Limits(), annotation_entries=2, annotation_value=2000, annotation_size=6000)
    place = Place(desk.account_id, INBOX, desk.account_id)

    def put(*annotations: Annotation, uids: tuple[int, int] = (1, 1)) -> None:
        with open_offline(desk.data) as database:
            database.write(lambda tx: annotate(tx, place, [uids], annotations, None, few))

    async def fill(account: Account) -> None:
        await account.append(INBOX, [message(1), message(2)])

    desk.run(fill)
    with pytest.raises(NoteTooLarge):
        put(Annotation("/comment", True, b"x" * 2001))
    put(Annotation("/a", True, b"1"), Annotation("/b", True, b"1"), Annotation("/c", False, b"1"))
    with pytest.raises(TooManyNotes):
        put(Annotation("/c", True, b"1"))
    with pytest.raises(NoSuchPart):
        put(Annotation("/2/comment", False, b"1"))
    put(Annotation("/1/comment", False, b"1"))
    with pytest.raises(LimitReached):
        put(Annotation("/d", True, b"x" * 2000), uids=(1, 2))
    # What was removed makes room at last, and is remembered until then.
    put(Annotation("/a", True, None), Annotation("/b", True, None))
    assert counted(desk) == 4 * 502 + 8 + 2
    put(Annotation("/d", True, b"x" * 2000), Annotation("/e", True, b"x" * 1400))
    assert counted(desk) < 6000
    assert problems(desk.data) == []


def test_the_same_once_more_is_no_change(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.append(INBOX, [message(1)])
        first = await account.annotate(INBOX, [(1, 1)], BOTH)
        again = await account.annotate(INBOX, [(1, 1)], [*BOTH, Annotation("/altsubject", True, None)])
        assert again.modseq == first.modseq == account.modseq(INBOX)
        assert first.annotated == (first.modseq,)
        assert again.annotated == ()

    desk.run(work)


def test_large_ones_are_read_in_pieces(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.append(INBOX, [message(n) for n in range(40)])
        await account.annotate(INBOX, [(1, 40)], [Annotation("/comment", True, b"x" * 60_000)])
        there = account.message_annotations()
        pieces = there.stretches(INBOX, 1, 40)
        assert len(pieces) > 2
        assert [uid for low, high in pieces for uid in range(low, high + 1)] == list(range(1, 41))
        read = [note.uid for piece in pieces for note in there.find(INBOX, *piece)]
        assert read == list(range(1, 41))

    desk.run(work)


def test_the_part_that_an_entry_is_about() -> None:
    assert part_of("/comment") == part_of("/vendor/1/2") == ()
    assert part_of("/1/comment") == (1,)
    assert part_of("/12.3/vendor/x") == (12, 3)


def test_check_finds_what_is_wrong(desk: Desk) -> None:
    async def work(account: Account) -> None:
        await account.append(INBOX, [message(1)])
        await account.annotate(INBOX, [(1, 1)], BOTH)

    desk.run(work)
    with open_offline(desk.data) as database:
        database.write(lambda tx: tx.run("UPDATE mailbox SET annotated = 0"))
        database.write(lambda tx: tx.run("UPDATE annotation_use SET octets = octets + 1"))
        rows: Any = [(desk.account_id, ARCHIVE, 7, 0, "/comment", b"x", 1)]
        database.write(lambda tx: message_annotations.insert_found(tx, rows))
    found = " ".join(problem.what for problem in problems(desk.data))
    assert "an annotation of a message has no message" in found
    assert "a mailbox does not know of annotations" in found
    assert "annotations of messages are not counted right" in found
