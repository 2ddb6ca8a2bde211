"""`store check` and `store rebuild`: damage is named, a lost index is made again."""

import random
from pathlib import Path
from typing import Any

from postroad.db.offline import prepare_data
from postroad.db.transaction import Transaction
from postroad.directory.accounts import add_account, remove_account
from postroad.directory.kept_accounts import kept_accounts, restore_account
from postroad.directory.snapshot import load, restore, save
from postroad.model.address import parse_mailbox
from postroad.model.envelope import DeliverBy, Recipient, Release, Wish
from postroad.model.flags import Flag
from postroad.queue.item import read_item
from postroad.queue.journal import restore as restore_queue
from postroad.queue.spool import enqueue, remove_recipients
from postroad.store import kept
from postroad.store.account import Account
from postroad.store.blobs.reader import PackReader
from postroad.store.check import Problem, check
from postroad.store.filing import put_blob
from postroad.store.kept import Which
from postroad.store.offline import open_offline
from postroad.store.prepare import prepare_now
from postroad.store.rebuild import Report, rebuild
from postroad.store.types import NewMessage
from tests.unit.store.conftest import Desk, message


def problems(data: Path) -> list[Problem]:
    packs = PackReader(data / "packs")
    try:
        with open_offline(data) as database:
            return database.read(lambda r: list(check(r, packs)))
    finally:
        packs.close()


def restorable(data: Path, account_id: int) -> Any:
    """What was deleted and can be restored, without the ids of mailboxes that were not."""
    with open_offline(data) as database:
        return database.read(
            lambda r: (kept.find(r, account_id, Which()), kept.find_mailboxes(r, account_id, Which()))
        )


def everything(account: Account) -> dict[str, Any]:
    """What a client can see, apart from modseqs and UIDNEXT."""
    seen = {}
    for mailbox in account.mailboxes():
        entries = account.entries(mailbox.id, [(1, 2**32)])
        seen[mailbox.name] = (
            mailbox.uidvalidity,
            mailbox.special_use,
            [(e.uid, e.flags, e.keywords, e.size, e.internal_date, e.message_id) for e in entries],
            account.saved_dates(mailbox.id, [e.uid for e in entries]),
            account.rendered([e.message_id for e in entries], ["thread_id"]),
            [account.open(e.message_id).read(0, e.size) for e in entries],
        )
    return seen


async def live_a_little(account: Account) -> dict[str, Any]:
    """Some hundred random changes, always the same ones."""
    chance = random.Random(7)
    await account.create("Projects/Äpfel & Birnen")
    for number in range(120):
        boxes = account.mailboxes()
        one, other = chance.choice(boxes), chance.choice(boxes)
        uids = [(low := chance.randrange(1, max(2, one.uidnext)), low + chance.randrange(3))]
        match chance.randrange(7):
            case 0 | 1 | 2:
                await account.append(one.id, [message(number)])
            case 3:
                await account.store_flags(one.id, uids, "add", Flag.SEEN | Flag.FLAGGED, frozenset({"Red"}))
            case 4:
                await account.copy(one.id, uids, other.id)
            case 5:
                await account.move(one.id, uids, other.id)
            case 6:
                await account.expunge(one.id, uids, only_deleted=False)
    made = account.mailbox("Projects")
    assert made is not None
    await account.rename(made.id, "Done/Projects")
    await account.delete((await account.create("Short-lived")).id)
    return everything(account)


def test_a_lost_index_comes_back_whole(desk: Desk) -> None:
    before = desk.run(live_a_little)
    deleted = restorable(desk.data, desk.account_id)
    assert len(deleted[0]) > 5
    with open_offline(desk.data) as database:
        database.read(lambda r: save(r, desk.data))
    assert problems(desk.data) == []
    for file in desk.data.glob("index.db*"):
        file.unlink()

    def bring_back(tx: Transaction) -> set[int]:
        snapshot = load(desk.data)
        restore(tx, snapshot)
        return snapshot.account_ids

    report = rebuild(desk.data, bring_back, restore_queue, aside="test")
    assert report.lost == []
    assert problems(desk.data) == []

    async def after(account: Account) -> dict[str, Any]:
        return everything(account)

    assert desk.run(after) == before
    assert restorable(desk.data, desk.account_id) == deleted


def test_a_thread_keeps_its_id_when_who_began_it_is_gone(desk: Desk) -> None:
    """RFC 8474 §5.2: a THREADID that was told never changes."""

    async def threads(account: Account) -> Any:
        inbox = account.mailbox("INBOX")
        assert inbox is not None
        entries = account.entries(inbox.id, [(1, 2**32)])
        return account.rendered([e.message_id for e in entries], ["thread_id"])

    async def begin(account: Account) -> Any:
        inbox = account.mailbox("INBOX")
        assert inbox is not None
        answer = NewMessage(b"Message-ID: <m2@demo.test>\r\nIn-Reply-To: <m1@demo.test>\r\n\r\nYes.\r\n")
        await account.append(inbox.id, [message(1), answer])
        await account.expunge(inbox.id, [(1, 1)], only_deleted=False)
        return await threads(account)

    before = desk.run(begin)
    assert before == ([2], [(1,)])
    with open_offline(desk.data) as database:
        database.read(lambda r: save(r, desk.data))

    def bring_back(tx: Transaction) -> set[int]:
        snapshot = load(desk.data)
        restore(tx, snapshot)
        return snapshot.account_ids

    rebuild(desk.data, bring_back, restore_queue, aside="test")
    assert desk.run(threads) == before


def test_mail_on_its_way_out_is_queued_again(desk: Desk) -> None:
    def send(tx: Transaction) -> None:
        prepared = prepare_now(b"Subject: away\r\n\r\nfar\r\n")
        recipients = [
            Recipient(parse_mailbox(f"{name}@elsewhere.test"), frozenset({"FAILURE"}), "rfc822;x+2By")
            for name in ("one", "two", "three")
        ]
        item_id = enqueue(
            tx,
            sender=parse_mailbox("ada@demo.test"),
            recipients=recipients,
            blob=put_blob(tx, prepared, 1),
            prefix=b"Received: here\r\n",
            size=prepared.size + 16,
            account_id=desk.account_id,
            trail_id=1,
            ret="HDRS",
            envid="e+3D1",
            body="8BITMIME",
            smtputf8=False,
            tls=Wish.REQUIRED,
            release=Release(4102444800.0, "until;2100-01-01T00:00:00Z"),
            priority=-4,
            deliver_by=DeliverBy(4102444800.0, returns=False, trace=True),
        )
        item = read_item(tx, item_id)
        assert item is not None
        remove_recipients(tx, item, [1])

    columns = (
        "sender, account_id, prefix, size, ret, envid, body, smtputf8, tls, release_at, release_asked,"
        " i.priority, deliver_by, deliver_mode"
    )
    asked = (
        f"SELECT i.id, {columns}, n, address, destination, due, notify, original"
        " FROM queue_item i JOIN queue_recipient r ON r.item_id = i.id ORDER BY n"
    )
    with open_offline(desk.data) as database:
        database.write(send)
        before = database.read(lambda r: r.rows(asked))
        database.read(lambda r: save(r, desk.data))

    def bring_back(tx: Transaction) -> set[int]:
        restore(tx, load(desk.data))
        return {desk.account_id}

    report = rebuild(desk.data, bring_back, restore_queue, aside="test")
    assert (report.queued, report.lost) == (1, [])
    with open_offline(desk.data) as database:
        assert database.read(lambda r: r.rows(asked)) == before
        assert [address for *_, address, _, _, _, _ in before] == [
            "one@elsewhere.test",
            "three@elsewhere.test",
        ]
    assert problems(desk.data) == []


def rebuilt(desk: Desk) -> Report:
    with open_offline(desk.data) as database:
        database.read(lambda r: save(r, desk.data))

    def bring_back(tx: Transaction) -> set[int]:
        snapshot = load(desk.data)
        restore(tx, snapshot)
        return snapshot.account_ids

    return rebuild(desk.data, bring_back, restore_queue, aside="test")


def lose(desk: Desk, begins: bytes) -> None:
    """Turn a line of the journal, from its middle on, into the zeros that a power cut leaves."""
    [path] = (desk.data / "packs").glob("*.pack")
    octets = bytearray(path.read_bytes())
    start = octets.index(begins)
    end = octets.index(b"\n", start)
    octets[start + len(begins) : end] = bytes(end - start - len(begins))
    path.write_bytes(octets)


def test_lines_that_a_power_cut_tore_cost_themselves_alone(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = account.mailbox("INBOX")
        assert inbox is not None
        await account.append(inbox.id, [message(1), message(2)])
        await account.store_flags(inbox.id, [(1, 1)], "add", Flag.SEEN)
        await account.store_flags(inbox.id, [(2, 2)], "add", Flag.FLAGGED)

    desk.run(work)
    lose(desk, b"postroad/1 flags account=1 mailbox=1 modseq=")
    assert rebuilt(desk).lost == []

    async def flags(account: Account) -> list[int]:
        return [e.flags for e in account.entries(1, [(1, 9)])]

    assert desk.run(flags) == [0, Flag.FLAGGED]
    assert problems(desk.data) == []


def test_mail_comes_back_without_the_line_of_its_mailbox(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = account.mailbox("INBOX")
        assert inbox is not None
        await account.append(inbox.id, [message(1)])

    desk.run(work)
    lose(desk, b"postroad/1 mailbox account=1 mailbox=1")
    assert rebuilt(desk).messages == 1

    async def found(account: Account) -> dict[str, int]:
        return {m.name: m.messages for m in account.mailboxes() if m.messages or m.name == "INBOX"}

    assert desk.run(found) == {"INBOX": 0, "Recovered 1": 1}
    assert problems(desk.data) == []


def test_two_mailboxes_of_one_name_both_come_back(desk: Desk) -> None:
    async def work(account: Account) -> None:
        first = await account.create("Plans")
        await account.append(first.id, [message(1)])
        await account.rename(first.id, "Old plans")
        second = await account.create("Plans")
        await account.append(second.id, [message(2)])

    desk.run(work)
    [path] = (desk.data / "packs").glob("*.pack")
    octets = path.read_bytes()
    at = octets.index(b"name=Old%20plans")
    path.write_bytes(octets[:at] + bytes(16) + octets[at + 16 :])
    assert rebuilt(desk).messages == 2

    async def names(account: Account) -> list[str]:
        return [m.name for m in account.mailboxes() if m.messages]

    assert desk.run(names) == ["Plans", "Plans (recovered 8)"]


def test_an_account_that_was_removed_stays_so(desk: Desk) -> None:
    with open_offline(desk.data) as database:
        database.write(lambda tx: add_account(tx, "bob@demo.test", who="test"))
        database.write(lambda tx: remove_account(tx, "bob@demo.test", who="test"))
    assert rebuilt(desk).lost == []


def test_what_was_restored_or_erased_is_not_deleted_again(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = account.mailbox("INBOX")
        plans = await account.create("Plans")
        assert inbox is not None
        await account.append(inbox.id, [message(n) for n in range(1, 5)])
        await account.expunge(inbox.id, [(1, 3)], only_deleted=False)
        await account.delete(plans.id)

    def change(tx: Transaction) -> None:
        (third, second, _) = kept.find(tx, desk.account_id, Which())
        kept.restore(tx, desk.account_id, [second], to=None, over_quota=False)
        kept.erase(tx, [third])
        kept.erase_mailboxes(
            tx, [(desk.account_id, m.id) for m in kept.find_mailboxes(tx, desk.account_id, Which())]
        )

    desk.run(work)
    with open_offline(desk.data) as database:
        database.write(change)
    before = restorable(desk.data, desk.account_id)
    assert [one.uid for one in before[0]] == [1]
    report = rebuilt(desk)
    assert (report.lost, report.messages) == ([], 2)
    assert problems(desk.data) == []
    assert restorable(desk.data, desk.account_id) == before


def test_a_removed_account_can_be_restored_afterwards(desk: Desk) -> None:
    async def fill(account: Account) -> dict[str, Any]:
        inbox = account.mailbox("INBOX")
        assert inbox is not None
        await account.append(inbox.id, [message(n) for n in range(1, 5)])
        await account.expunge(inbox.id, [(2, 2)], only_deleted=False)
        return everything(account)

    before = desk.run(fill)
    with open_offline(desk.data) as database:
        database.write(lambda tx: remove_account(tx, "ada@demo.test", who="test"))
        (gone,) = database.read(kept_accounts)
    report = rebuilt(desk)
    assert (report.lost, report.messages) == ([], 3)
    assert problems(desk.data) == []
    with open_offline(desk.data) as database:
        assert database.read(kept_accounts) == [gone]
        back = database.write(lambda tx: restore_account(tx, gone, who="test"))
    assert back.id == desk.account_id

    async def after(account: Account) -> dict[str, Any]:
        return everything(account)

    assert desk.run(after) == before
    assert len(restorable(desk.data, desk.account_id)[0]) == 1
    assert rebuilt(desk).lost == []
    assert desk.run(after) == before


def test_a_mailbox_that_was_deleted_lends_its_number_to_nobody(desk: Desk) -> None:
    async def make(account: Account) -> int:
        return (await account.create("Plans")).id

    async def make_and_delete(account: Account) -> int:
        made = await make(account)
        await account.delete(made)
        return made

    before = desk.run(make_and_delete)
    rebuilt(desk)
    assert desk.run(make) > before


def test_damage_is_named_with_its_owner(desk: Desk) -> None:
    async def work(account: Account) -> None:
        inbox = account.mailbox("INBOX")
        assert inbox is not None
        await account.append(inbox.id, [message(1), message(2)])

    desk.run(work)
    pack = desk.data / "packs" / "00000001.pack"
    octets = bytearray(pack.read_bytes())
    octets[octets.index(b"Hello.")] ^= 1
    pack.write_bytes(octets)
    [problem] = problems(desk.data)
    assert problem.mail_affected
    assert problem.what.endswith("account 1, INBOX, UID 1")


def test_wrong_counters_are_named(desk: Desk) -> None:
    with open_offline(desk.data) as database:
        database.write(lambda tx: tx.run("UPDATE mailbox SET messages = 5 WHERE name = 'INBOX'"))
    assert [p.what for p in problems(desk.data)] == ["account 1, INBOX: messages says 5, there are 0"]


def test_preparing_twice_changes_nothing(desk: Desk) -> None:
    prepare_data(desk.data)
    assert problems(desk.data) == []
