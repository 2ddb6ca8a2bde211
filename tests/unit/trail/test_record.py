"""Trails are found by what they name, and leave nothing behind when they are forgotten."""

from pathlib import Path

import pytest

from postroad.db.offline import prepare_data
from postroad.db.transaction import Row, Transaction
from postroad.store.offline import open_offline
from postroad.trail import record
from postroad.trail.note import Note

LONG = "x" * 400 + "@A.test"
KEYS = ["ada@a.test", "BOB@b.test", "eve@e.test", LONG, "Q000001", "Q000002"]


def _begin(tx: Transaction) -> int:
    queued = Note("queued", {"queue": "Q000001", "recipients": ["bob@b.test"]})
    trail_id = record.begin(
        tx,
        kind="out",
        sender="Ada@a.test",
        recipients=["bob@b.test", "eve@e.test"],
        message_id=LONG,
        notes=[Note("received", {"size": 1}), queued],
    )
    record.add(tx, trail_id, [Note("deferred", {"queue": "Q000001"})])
    record.add(tx, trail_id, [Note("queued", {"queue": "Q000002", "recipients": ["eve@e.test"]})])
    return trail_id


def _left(tx: Transaction) -> Row | None:
    """Rows of a trail, of its later notes, and of its keys."""
    counts = (f"(SELECT count(*) FROM {table})" for table in ("trail", "trail_note", "trail_key"))
    return tx.row(f"SELECT {', '.join(counts)}")


@pytest.mark.parametrize("key", KEYS)
def test_a_trail_is_found_by_everything_that_it_names(tmp_path: Path, key: str) -> None:
    prepare_data(tmp_path)
    with open_offline(tmp_path) as database:
        trail_id = database.write(_begin)
        (found,) = database.write(lambda tx: record.find(tx, key=key))
    assert found.id == trail_id
    assert [note.kind for _, note in found.notes] == ["received", "queued", "deferred", "queued"]


def test_what_is_forgotten_is_forgotten_whole(tmp_path: Path) -> None:
    prepare_data(tmp_path)
    with open_offline(tmp_path) as database:
        database.write(_begin)
        assert database.write(lambda tx: record.clean(tx, tx.now + 1)) == 1
        assert database.write(_left) == (0, 0, 0)
        assert database.write(lambda tx: record.clean(tx, tx.now + 1)) == 0
