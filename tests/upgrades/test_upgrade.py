"""From every schema that was ever released to the latest, and back (SAFETY A16)."""

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Final

import pytest

from postroad.db.connect import DATABASE_NAME
from postroad.db.copies import KEPT_DAYS, copy_path, prune_copies
from postroad.db.migrate import LATEST, WrongSchema
from postroad.db.offline import prepare_data
from postroad.db.upgrade import take_back, upgrade, way_back
from postroad.directory import dkim_keys
from postroad.directory.accounts import remove_account, switch_capabilities, take_app_passwords_only
from postroad.directory.app_passwords import add_app_password, draw
from postroad.directory.scram import THE_PASSWORD, Recipe, keep_keys, make_keys
from postroad.directory.seal import Seal
from postroad.model.envelope import DeliverBy, Release
from postroad.model.flags import Flag
from postroad.net.clock import SystemClock
from postroad.store import kept
from postroad.store.kept import Which
from postroad.store.offline import open_offline
from postroad.store.store import Store
from postroad.store.types import NewMessage
from tests.unit.queue.queued import put
from tests.upgrades.conftest import unpack
from tests.upgrades.contents import Columns, columns, contents, export_hash, problems, schema

POINTS: Final = 20
"""At so many points of a change it is killed."""


def test_an_upgrade_keeps_everything(old_data: Path) -> None:
    known, before = columns(old_data), contents(old_data)
    upgrade(old_data)
    assert schema(old_data)[0] == LATEST
    assert contents(old_data, known) == before
    assert problems(old_data) == []


def test_an_upgraded_database_is_what_a_new_one_is(old_data: Path, tmp_path: Path) -> None:
    upgrade(old_data)
    prepare_data(tmp_path / "new")
    assert schema(old_data) == schema(tmp_path / "new")


def test_the_copy_is_the_index_as_it_was(schema_1: Path, tmp_path: Path) -> None:
    before = contents(schema_1)
    upgrade(schema_1)
    other = tmp_path / "other"
    shutil.copytree(schema_1 / "packs", other / "packs")
    shutil.copy(copy_path(schema_1, 1), other / DATABASE_NAME)
    assert contents(other) == before
    assert schema(other)[0] == 1


def test_there_is_a_way_back_that_leaves_no_trace(schema_1: Path) -> None:
    shape, before = schema(schema_1), contents(schema_1)
    upgrade(schema_1)
    take_back(schema_1, 1)
    assert (schema(schema_1), contents(schema_1)) == (shape, before)


def test_back_with_all_mail_that_has_arrived_and_without_what_was_deleted(schema_1: Path) -> None:
    known = columns(schema_1)
    upgrade(schema_1)
    asyncio.run(_live_on(schema_1))
    before = contents(schema_1, known)
    assert dict(way_back(schema_1, 1).lost) == {
        "deleted messages that could still be restored": 31,
        "deleted mailboxes that could still be restored": 1,
        "removed accounts that could still be restored": 1,
    }
    take_back(schema_1, 1)
    after = contents(schema_1, known)
    removed = 2  # bob
    for table, names in known.items():
        if "account_id" in names and table not in ("queue_item", "message"):
            where = names.index("account_id")
            assert after[table] == [row for row in before[table] if row[where] != removed], table
    assert [row for row in before["account"] if row not in after["account"]] == []
    assert after["change"] == before["change"]
    upgrade(schema_1)
    assert problems(schema_1) == []
    with open_offline(schema_1) as database:
        assert database.read(lambda r: kept.find(r, 1, Which())) == []


def test_back_without_app_passwords(tmp_path: Path) -> None:
    data = unpack(2, tmp_path)
    shape, before = schema(data), contents(data)
    upgrade(data)
    keys = make_keys("a secret", {"SHA-1": Recipe(b"salt", 4096)})
    with open_offline(data) as database:
        database.write(
            lambda tx: add_app_password(
                tx, "ada@ours.test", draw(), who="test", label="phone", most=1, keys=keys
            )
        )
        database.write(lambda tx: take_app_passwords_only(tx, "ada@ours.test", True, who="test"))
        database.write(lambda tx: keep_keys(tx, 2, THE_PASSWORD, keys))
    assert dict(way_back(data).lost) == {
        "app passwords": 1,
        "accounts that take app passwords alone; they will take their password again": 1,
        "passwords with SCRAM keys": 1,
    }
    take_back(data, 2)
    after = contents(data)
    assert schema(data) == shape
    assert {table for table in after if after[table] != before[table]} == {"change", "directory_state"}


def test_back_without_capability_switches(tmp_path: Path) -> None:
    data = unpack(2, tmp_path)
    shape = schema(data)
    upgrade(data)
    with open_offline(data) as database:
        database.write(lambda tx: switch_capabilities(tx, "ada@ours.test", ["MOVE"], False, who="test"))
    assert dict(way_back(data).lost) == {
        "accounts for which capabilities are switched off; their clients are offered them again": 1
    }
    take_back(data, 2)
    assert schema(data) == shape


def test_back_with_held_messages(tmp_path: Path) -> None:
    data = unpack(2, tmp_path)
    shape = schema(data)
    upgrade(data)
    with open_offline(data) as database:
        database.write(lambda tx: put(tx, "x@far.test", release=Release(tx.now + 3600, "for;3600")))
    assert dict(way_back(data).lost) == {
        "messages that were to go at a later time; they are held until they are released or cancelled": 1
    }
    take_back(data, 2)
    assert schema(data) == shape
    with sqlite3.connect(data / DATABASE_NAME) as connection:
        held = connection.execute("SELECT held FROM queue_recipient WHERE address = 'x@far.test'").fetchall()
    assert held == [(1,)]


def test_back_without_priorities(tmp_path: Path) -> None:
    data = unpack(2, tmp_path)
    shape = schema(data)
    upgrade(data)
    with open_offline(data) as database:
        database.write(lambda tx: put(tx, "x@far.test", priority=4))
    assert dict(way_back(data).lost) == {"priorities of messages in the queue": 1}
    take_back(data, 2)
    assert schema(data) == shape


def test_back_without_times_to_be_delivered_by(tmp_path: Path) -> None:
    data = unpack(2, tmp_path)
    shape = schema(data)
    upgrade(data)
    with open_offline(data) as database:
        by = DeliverBy(4102444800.0, returns=True)
        database.write(lambda tx: put(tx, "x@far.test", deliver_by=by))
    assert dict(way_back(data).lost) == {"times by which messages in the queue were to be delivered": 1}
    take_back(data, 2)
    assert schema(data) == shape


def test_back_without_dkim_keys(tmp_path: Path) -> None:
    data = unpack(2, tmp_path)
    shape = schema(data)
    upgrade(data)
    with open_offline(data) as database:
        new = [dkim_keys.draw("ed25519")]
        database.write(lambda tx: dkim_keys.add_keys(tx, "ours.test", new, Seal.of(data), who="test"))
    assert dict(way_back(data).lost) == {"DKIM keys": 1}
    take_back(data, 2)
    assert schema(data) == shape


def test_back_with_mail_that_requires_tls_waits_for_somebody_to_decide(tmp_path: Path) -> None:
    data = unpack(2, tmp_path)
    shape = schema(data)
    upgrade(data)
    with open_offline(data) as database:
        first = database.read(lambda r: r.value("SELECT min(id) FROM queue_item"))
        database.write(lambda tx: tx.run("UPDATE queue_item SET tls = 'require' WHERE id = ?", first))
    (lost,) = way_back(data).lost
    assert lost == (
        "queued messages that require TLS; they are held until they are released or cancelled",
        1,
    )
    take_back(data, 2)
    assert schema(data) == shape
    columns_, rows = columns(data)["queue_recipient"], contents(data)["queue_recipient"]
    held, item = columns_.index("held"), columns_.index("item_id")
    assert {row[item] for row in rows if row[held]} >= {first}
    assert any(not row[held] for row in rows)


async def _live_on(data: Path) -> None:
    """Mail arrives, mail is deleted, an account is removed."""
    store = Store(data, SystemClock(), name="w0")
    try:
        ada = store.account(1)
        inbox, boxes = ada.mailbox("INBOX"), ada.mailbox("日本語/メール")
        assert inbox is not None
        assert boxes is not None
        await ada.append(inbox.id, [NewMessage(b"Subject: since then\r\n\r\n\r\n", Flag.FLAGGED)] * 3)
        await ada.expunge(inbox.id, [(1, 5)], only_deleted=False)
        await ada.delete(boxes.id)
        await store.database.write(
            lambda tx: remove_account(tx, "bob@ours.test", who="test", with_aliases=True)
        )
    finally:
        await store.close()


def test_every_script_has_its_way_back_beside_it() -> None:
    for version in range(2, LATEST + 1):
        folder = Path(str(resources.files("postroad.db"))) / "schema" / f"{version:04d}"
        scripts = {path.name for path in folder.glob("*.sql")}
        assert {path.name for path in (folder / "down").glob("*.sql")} >= scripts


def test_nothing_was_before_the_first(schema_1: Path) -> None:
    with pytest.raises(WrongSchema, match="there was none before it"):
        way_back(schema_1)
    assert not copy_path(schema_1, 1).exists()


def test_a_new_data_directory_is_not_copied(tmp_path: Path) -> None:
    assert prepare_data(tmp_path / "data") == 0
    assert not list((tmp_path / "data").glob("*.schema-*"))


def test_copies_go_when_they_are_old(schema_1: Path) -> None:
    upgrade(schema_1)
    copy = copy_path(schema_1, 1)
    made = copy.stat().st_mtime
    assert prune_copies(schema_1, made + (KEPT_DAYS - 1) * 86400) == []
    assert prune_copies(schema_1, made + (KEPT_DAYS + 1) * 86400) == [copy]
    assert not copy.exists()


def _child(way: str, data: Path, last: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.upgrades.die", way, str(data), str(last)],
        capture_output=True,
        text=True,
        check=False,
    )


def _killed_everywhere(
    way: str, template: Path, known: Columns, finish: Callable[[Path], object], wanted: int
) -> None:
    """Die at points spread over the whole change; what is there then can be read, and the change goes on."""
    before = export_hash(template, known)
    whole = template.with_name("whole")
    shutil.copytree(template, whole)
    done = _child(way, whole, 0)
    assert done.returncode == 0, done.stderr
    count = int(done.stdout.split()[-1])
    assert count >= POINTS
    for number in range(POINTS):
        last = 1 + number * (count - 1) // (POINTS - 1)
        data = template.with_name(f"killed-{last}")
        shutil.copytree(template, data)
        assert _child(way, data, last).returncode == -signal.SIGKILL
        assert export_hash(data, known) == before, f"killed at operation {last} of {count}"
        if schema(data)[0] != wanted:
            finish(data)
        assert schema(data) == schema(whole)
        assert export_hash(data, known) == before, f"killed at operation {last} of {count}, and gone on"
        shutil.rmtree(data)


def test_killed_anywhere_it_begins_again(schema_1: Path) -> None:
    _killed_everywhere("up", schema_1, columns(schema_1), upgrade, LATEST)


def test_killed_anywhere_on_the_way_back(schema_1: Path) -> None:
    known = columns(schema_1)
    upgrade(schema_1)
    _killed_everywhere("down", schema_1, known, lambda data: take_back(data, 1), 1)
