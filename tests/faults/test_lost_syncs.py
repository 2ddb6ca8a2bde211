"""The Nth sync fails and loses what it was to keep; then the power goes (ADR 4)."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from structlog.testing import capture_logs

from postroad.db import checkpoint
from postroad.db.connect import connect
from postroad.db.log_mover import LogMover
from postroad.model.refusal import Unavailable
from postroad.net.clock import SystemClock
from postroad.store.account import Account
from postroad.store.store import Store
from tests.faults.lossy_disk import LossyDisk, lossy_disk
from tests.faults.test_nth_write import VERBS, State, Verb, reopened, state
from tests.faults.torn import cut, start
from tests.unit.store.conftest import Desk

MOST = 200


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with one account, all of it on the disk."""
    desk = Desk(tmp_path / "template")
    for pack in (desk.data / "packs").glob("*.pack"):
        cut(pack, len(pack.read_bytes().rstrip(b"\0")))
    return desk.data


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[LossyDisk]:
    monkeypatch.setattr(checkpoint, "CHECKPOINT_PAGES", 20)
    with lossy_disk() as disk, capture_logs():
        yield disk


async def all_verbs(data: Path) -> State:
    """Do everything; a reader that takes its time has half of the log moved without a sync. Gives the end."""
    store = Store(data, SystemClock(), name="w0")
    reader = connect(data, writable=False)
    try:
        account = store.account(1)
        for number, verb in enumerate(VERBS * 2):
            if number in (2, 9):
                reader.execute("BEGIN; SELECT * FROM account")
            if number in (5, 12):
                reader.execute("COMMIT")
            await _one(account, verb)
            checkpoints = store.database._checkpoints
            while checkpoints._under_way:
                await asyncio.sleep(0.001)
        return state(store, account)
    finally:
        reader.close()
        await _leave(store)


async def _one(account: Account, verb: Verb) -> None:
    try:
        await verb(account)
    except Unavailable:
        pass


async def _leave(store: Store) -> None:
    """The power is gone: nothing is moved at the end any more."""
    for connection in (store.database._reader, store.database._writer):
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    await store.close()


def test_what_was_acknowledged_outlives_a_sync_that_lost_its_pages(
    disk: LossyDisk, data: Path, tmp_path: Path
) -> None:
    for fail_at in range(1, MOST):
        work, left = Path(shutil.copytree(data, tmp_path / "work")), tmp_path / "left"
        disk.safe.clear()
        disk.dirty.clear()
        disk.adopt(work)
        disk.count, disk.failed, disk.fail_at = 0, 0, fail_at
        wanted = asyncio.run(all_verbs(work))
        syncs, disk.fail_at = disk.count, 0
        disk.after_a_power_cut(work, left)
        start(left)
        assert asyncio.run(reopened(left)) == wanted, f"sync {fail_at} of {syncs}"
        shutil.rmtree(work)
        shutil.rmtree(left)
        if not disk.failed:
            assert fail_at > 2 * len(VERBS), "too few syncs were counted"
            return
    raise AssertionError("the verbs never come to an end")


def test_a_part_that_was_moved_without_a_sync_is_moved_again_after_a_failure(
    disk: LossyDisk, tmp_path: Path
) -> None:
    """The hole in SQLite by itself: without the mover the last look finds pages missing."""
    data, left = tmp_path / "data", tmp_path / "left"
    data.mkdir()
    mover = LogMover(data)
    with closing(connect(data, writable=True)) as writer, closing(connect(data, writable=False)) as reader:
        writer.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, filling BLOB)")
        mover.move(writer)
        _put(writer, 0, 20)
        reader.execute("BEGIN; SELECT * FROM t")
        _put(writer, 20, 40)
        mover.move(writer)  # as far as the reader lets it, without a sync of the file
        reader.execute("COMMIT")
        disk.dirty.clear()  # the kernel failed to write it back, and says so at the next sync
        disk.fail_at = disk.count + 2  # the log's own sync comes first
        with pytest.raises(apsw.IOError):
            mover.move(writer)
        disk.fail_at = 0
        mover.move(writer)
        _put(writer, 40, 41)  # the log begins anew
        disk.after_a_power_cut(data, left)
        writer.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        reader.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    mover.close()
    with closing(apsw.Connection(str(left / "index.db"))) as found:
        assert found.pragma("integrity_check") == "ok"
        assert found.execute("SELECT count(*) FROM t WHERE length(filling) = 3000").get == 41


def _put(connection: apsw.Connection, first: int, behind: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for number in range(first, behind):
        connection.execute("INSERT INTO t VALUES (?, ?)", (number, bytes([number]) * 3000))
    connection.execute("COMMIT")
