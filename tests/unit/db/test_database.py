"""Questions to a database whose disk does not give back what it was given."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from postroad.db.connect import DATABASE_NAME, connect
from postroad.db.database import Database
from postroad.db.transaction import Reader, Transaction
from postroad.model.refusal import NoSpace, Unavailable
from tests.unit.db.test_group import play


def fill(tx: Transaction) -> None:
    tx.run_many("INSERT INTO domain (name, created) VALUES (?, 0)", [(f"{n:0900}.test",) for n in range(200)])


def count(reader: Reader) -> int:
    return sum(len(name) for (name,) in reader.rows("SELECT name FROM domain ORDER BY id"))


def test_trouble_with_the_disk_is_told_as_such_and_the_next_question_is_answered(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        await database.write(fill)
        assert database.read(count) == 200 * 905
        path = tmp_path / DATABASE_NAME
        own = connect(tmp_path, writable=True)
        own.pragma("user_version")  # until it has read, it does not know of the log
        own.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        own.close()
        octets = path.read_bytes()
        pages = [octets[at : at + 4096] for at in range(0, len(octets), 4096)]
        with path.open("r+b") as file:
            file.writelines(b"\xff" * 4096 if b"0.test" in page else page for page in pages)
        await database.write(lambda tx: tx.run("DELETE FROM change"))  # the reader forgets its pages
        for ask in (database.read, database.ask):
            with pytest.raises(Unavailable, match="storage: database disk image is malformed"):
                ask(count)
            assert ask(lambda reader: reader.value("SELECT 1")) == 1
        with pytest.raises(Unavailable, match="storage: database disk image is malformed"):
            await database.read_long(count)

    play(tmp_path, work)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (apsw.FullError("full"), NoSpace),
        (apsw.IOError("io"), Unavailable),
    ],
)
def test_a_full_disk_is_told_from_a_failing_one(tmp_path: Path, error: Exception, told: type) -> None:
    def fail(_: Reader) -> None:
        raise error

    async def work(database: Database) -> None:
        ways: tuple[Callable[[Callable[[Reader], None]], None], ...] = (database.read, database.ask)
        for ask in ways:
            with pytest.raises(told) as caught:
                ask(fail)
            assert type(caught.value) is told
        await asyncio.sleep(0)

    play(tmp_path, work)


@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 60])
def test_many_rows_are_inserted_in_their_order(tmp_path: Path, count: int) -> None:
    rows = [(f"{n}.test", float(n)) for n in range(count)]

    async def work(database: Database) -> None:
        await database.write(
            lambda tx: tx.insert_many("INSERT INTO domain (name, created) VALUES (?, ?)", rows)
        )
        assert database.ask(lambda r: r.rows("SELECT name, created FROM domain ORDER BY id")) == rows

    play(tmp_path, work)
