"""`store check` and `store rebuild`: damage is named, a lost index is made again."""

import random
from pathlib import Path
from typing import Any

from postroad.db.offline import prepare_data
from postroad.db.transaction import Transaction
from postroad.directory.snapshot import load, restore, save
from postroad.model.address import parse_mailbox
from postroad.model.envelope import Recipient
from postroad.model.flags import Flag
from postroad.queue.item import read_item
from postroad.queue.journal import restore as restore_queue
from postroad.queue.spool import enqueue, remove_recipients
from postroad.store.account import Account
from postroad.store.blobs.reader import PackReader
from postroad.store.check import Problem, check
from postroad.store.filing import put_blob
from postroad.store.offline import open_offline
from postroad.store.prepare import prepare_now
from postroad.store.rebuild import rebuild
from tests.unit.store.conftest import Desk, message


def problems(data: Path) -> list[Problem]:
    packs = PackReader(data / "packs")
    try:
        with open_offline(data) as database:
            return database.read(lambda r: list(check(r, packs)))
    finally:
        packs.close()


def everything(account: Account) -> dict[str, Any]:
    """What a client can see, apart from modseqs and UIDNEXT."""
    seen = {}
    for mailbox in account.mailboxes():
        entries = account.entries(mailbox.id, [(1, 2**32)])
        seen[mailbox.name] = (
            mailbox.uidvalidity,
            mailbox.special_use,
            [(e.uid, e.flags, e.keywords, e.size, e.internal_date) for e in entries],
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
    with open_offline(desk.data) as database:
        database.read(lambda r: save(r, desk.data))
    assert problems(desk.data) == []
    for file in desk.data.glob("index.db*"):
        file.unlink()

    def bring_back(tx: Transaction) -> set[int]:
        snapshot = load(desk.data)
        restore(tx, snapshot)
        return {account.id for account in snapshot.accounts}

    report = rebuild(desk.data, bring_back, restore_queue, aside="test")
    assert report.lost == []
    assert problems(desk.data) == []

    async def after(account: Account) -> dict[str, Any]:
        return everything(account)

    assert desk.run(after) == before


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
            blob_id=put_blob(tx, prepared, 1),
            prefix=b"Received: here\r\n",
            size=prepared.size + 16,
            account_id=desk.account_id,
            trail_id=1,
            ret="HDRS",
            envid="e+3D1",
            body="8BITMIME",
            smtputf8=False,
        )
        item = read_item(tx, item_id)
        assert item is not None
        remove_recipients(tx, item, [1])

    columns = "sender, account_id, prefix, size, ret, envid, body, smtputf8"
    asked = (
        f"SELECT i.id, {columns}, n, address, destination, notify, original"
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
        assert [address for *_, address, _, _, _ in before] == ["one@elsewhere.test", "three@elsewhere.test"]
    assert problems(desk.data) == []


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
