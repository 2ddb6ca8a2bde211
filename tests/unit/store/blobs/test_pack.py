"""The active pack: what is undone or fails leaves nothing behind, and nothing out."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from postroad.db.offline import OfflineDatabase, open_database, prepare_data
from postroad.db.transaction import Transaction
from postroad.model.refusal import NoSpace
from postroad.net.clock import SystemClock
from postroad.store.blobs.pack import ActivePack, pack_ids, pack_path
from postroad.store.blobs.record import pack_line

DIGEST = bytes(32)


@contextmanager
def opened(data: Path, size: int) -> Iterator[tuple[OfflineDatabase, ActivePack]]:
    prepare_data(data)
    packs = ActivePack(data / "packs", size=size)
    with open_database(data, packs, SystemClock()) as database:
        yield database, packs
    packs.close()


def tails(database: OfflineDatabase) -> dict[int, int]:
    return dict(database.read(lambda r: r.rows("SELECT id, tail FROM pack")))


def put(tx: Transaction, length: int) -> tuple[int, int]:
    return tx.packs.blob(b"x" * length, DIGEST, 0.0)


def test_a_disk_that_stays_full_gathers_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with opened(tmp_path, 1000) as (database, _):
        database.write(lambda tx: put(tx, 800))
        with monkeypatch.context() as patch:
            patch.setattr("postroad.store.blobs.pack.os.pwritev", full)
            for _ in range(3):
                with pytest.raises(NoSpace):
                    database.write(lambda tx: put(tx, 800))
        assert pack_ids(tmp_path / "packs") == [1]
        pack, _ = database.write(lambda tx: put(tx, 800))
        assert pack == 2


def test_a_pack_whose_sync_failed_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with opened(tmp_path, 10_000) as (database, _):
        database.write(lambda tx: put(tx, 10))
        before = tails(database)
        with monkeypatch.context() as patch:
            patch.setattr("postroad.store.blobs.pack.os.fdatasync", failing)
            with pytest.raises(OSError, match="Input/output"):
                database.write(lambda tx: put(tx, 10))
        pack, _ = database.write(lambda tx: put(tx, 10))
        assert pack == 2
        assert tails(database)[1] == before[1]


def test_work_that_filled_a_pack_and_is_undone_leaves_its_tail(tmp_path: Path) -> None:
    with opened(tmp_path, 1000) as (database, packs):
        database.write(lambda tx: put(tx, 100))
        before = tails(database)
        packs.close()

        def work(tx: Transaction) -> None:
            mark = packs.mark()
            for _ in range(3):
                put(tx, 400)
            packs.back_to(mark)

        database.write(work)
        assert {1: before[1]}.items() <= tails(database).items()
        assert set(tails(database).values()) == {before[1], len(pack_line(2))}
        for pack, tail in tails(database).items():
            assert pack_path(tmp_path / "packs", pack).stat().st_size >= tail
