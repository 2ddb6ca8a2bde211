"""The log: it begins anew under a load that never ends, and a checkpoint that fails harms nobody."""

import asyncio
from pathlib import Path

import apsw
import pytest

from postroad.db import checkpoint
from postroad.db.database import Database
from postroad.db.transaction import Transaction
from tests.unit.db.test_group import play

PAGES = 50


def insert(tx: Transaction) -> None:
    tx.run("INSERT INTO known_network VALUES (?, ?, 0)", tx.value("SELECT count(*) FROM known_network"), "x")


def log_pages(data: Path) -> int:
    connection = apsw.Connection(str(data / "index.db"))
    try:
        connection.execute("SELECT 1 FROM pack").fetchall()
        return connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)[0]
    finally:
        connection.close()


def test_the_log_begins_anew_beside_commits_without_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "CHECKPOINT_PAGES", PAGES)

    async def work(database: Database) -> None:
        longest = 0
        while log_pages(tmp_path) >= longest:
            longest = max(longest, log_pages(tmp_path))
            await database.write(insert)
        assert longest >= PAGES

    play(tmp_path, work)


def test_a_checkpoint_that_fails_harms_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "CHECKPOINT_PAGES", PAGES)
    failed = asyncio.Event()

    def broken(*_: object, **__: object) -> apsw.Connection:
        raise apsw.CantOpenError("no descriptors")

    async def work(database: Database) -> None:
        monkeypatch.setattr("postroad.db.checkpoint.log.error", lambda *_, **__: failed.set())
        monkeypatch.setattr(checkpoint, "connect", broken)
        while not failed.is_set():
            await database.write(insert)
        monkeypatch.undo()
        await database.write(insert)

    play(tmp_path, work)
