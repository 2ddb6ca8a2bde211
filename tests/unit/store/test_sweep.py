"""Housekeeping: every freed blob is forgotten, an empty one too."""

from contextlib import closing

from postroad.db.transaction import Transaction
from postroad.store.account import Account
from postroad.store.blobs.hold import hold_packs
from postroad.store.blobs.reader import PackReader
from postroad.store.filing import put_blob
from postroad.store.prepare import prepare_now
from postroad.store.sweep import SAFE_SECONDS, sweep_blobs
from tests.unit.store.conftest import Desk


def test_an_empty_message_is_swept_like_another(desk: Desk) -> None:
    def file(tx: Transaction) -> None:
        put_blob(tx, prepare_now(b""), 0)
        put_blob(tx, prepare_now(b"Subject: x\r\n\r\n"), 0)
        tx.run("UPDATE blob SET freed_at = 1")

    async def work(account: Account) -> None:
        database = account._database
        await database.write(file)
        assert await sweep_blobs(database, desk.data / "packs", SAFE_SECONDS + 10.0) == 2
        assert database.read(lambda r: r.value("SELECT count(*) FROM blob")) == 0

    desk.run(work)


def test_nothing_is_swept_while_somebody_holds_the_packs(desk: Desk) -> None:
    packs = desk.data / "packs"

    def file(tx: Transaction) -> None:
        put_blob(tx, prepare_now(b"Subject: x\r\n\r\n"), 0)
        tx.run("UPDATE blob SET freed_at = 1")

    async def work(account: Account) -> None:
        database = account._database
        await database.write(file)
        pack, offset, length = database.read(lambda r: r.row("SELECT pack, offset, length FROM blob")) or ()
        with hold_packs(packs):
            assert await sweep_blobs(database, packs, SAFE_SECONDS + 10.0) == 0
            with closing(PackReader(packs)) as reader:
                assert reader.read(pack, offset, length) == b"Subject: x\r\n\r\n"
        assert await sweep_blobs(database, packs, SAFE_SECONDS + 10.0) == 1

    desk.run(work)
