"""The log: it begins anew under a load that never ends, and a checkpoint that fails harms nobody."""

import asyncio
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from postroad.db import checkpoint
from postroad.db.connect import connect
from postroad.db.database import Database
from postroad.db.offline import prepare_data
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


def test_one_checkpoint_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of one is not moved by a commit while the next is under way: both have the same lock."""
    monkeypatch.setattr(checkpoint, "CHECKPOINT_PAGES", 1)
    prepare_data(tmp_path)
    writer = connect(tmp_path, writable=True)
    writer.execute("INSERT INTO known_network VALUES (1, 'x', 0)")

    async def look() -> None:
        checkpoints = checkpoint.Checkpoints(tmp_path, writer)
        checkpoints.has_rest = True  # so much was written meanwhile that the log is long again
        checkpoints.look()
        assert not checkpoints.has_rest
        checkpoints.close()

    asyncio.run(look())
    writer.close()


def test_a_look_in_the_midst_of_another_commit_is_no_error(tmp_path: Path) -> None:
    """The two copies of the header of the log's index differ, and who makes them differ holds the lock."""
    prepare_data(tmp_path)
    writer = connect(tmp_path, writable=True)
    writer.execute("INSERT INTO known_network VALUES (1, 'x', 0)")
    checkpoints = checkpoint.Checkpoints(tmp_path, writer)
    other = subprocess.Popen(
        [sys.executable, "-c", _COMMITTING, str(tmp_path / "index.db-shm")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert other.stdout is not None
    try:
        assert other.stdout.readline()
        with pytest.raises(apsw.BusyError):
            writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
        checkpoints.look()
    finally:
        other.communicate()
    checkpoints.look()
    checkpoints.close()
    writer.close()


_COMMITTING = """
import fcntl, os, sys
index = open(sys.argv[1], "r+b")
fcntl.lockf(index, fcntl.LOCK_EX, 1, 120)  # WAL_WRITE_LOCK, sqlite.org/walformat.html
counter = os.pread(index.fileno(), 4, 8)
os.pwrite(index.fileno(), bytes(4), 8)
print("there", flush=True)
sys.stdin.read()
os.pwrite(index.fileno(), counter, 8)
"""
"""What another process does while it commits, halted half-way."""
