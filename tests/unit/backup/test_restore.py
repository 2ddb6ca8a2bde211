"""Restoring everything: a server that goes on as before, and tells clients nothing wrong."""

import os
import shutil
import stat
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from postroad.backup.errors import Different, NotEmpty, Tampered
from postroad.backup.wind_on import IDS, UIDS
from postroad.config.settings import Queue
from postroad.db.migrate import LATEST
from postroad.db.offline import prepare_data
from postroad.db.transaction import Transaction
from postroad.db.unfinished import UNFINISHED, UnfinishedRestore
from postroad.directory import dkim_keys, snapshot
from postroad.directory.seal import Seal
from postroad.mend import mend
from postroad.model.address import parse_mailbox
from postroad.model.envelope import Recipient
from postroad.queue.leases import lease
from postroad.queue.spool import enqueue
from postroad.store.filing import put_blob
from postroad.store.mailboxes import by_name, subscribe
from postroad.store.offline import open_offline
from postroad.store.prepare import prepare_now
from tests.unit.backup.vault import Vault, letter
from tests.unit.importer.desk import ADA, BOB
from tests.upgrades.conftest import unpack


def queue_one(tx: Transaction) -> None:
    prepared = prepare_now(b"Subject: out\r\n\r\n")
    enqueue(
        tx,
        sender=parse_mailbox("ada@demo.test"),
        recipients=[Recipient(parse_mailbox("lu@client.test"))],
        blob=put_blob(tx, prepared, 1),
        prefix=b"",
        size=prepared.size,
        account_id=ADA,
        trail_id=1,
        ret="",
        envid="",
        body="7BIT",
        smtputf8=False,
    )


def test_everything_is_back(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n, 5000) for n in range(40)))
    vault.desk.put("Work/Ünïcode", letter(77), account=BOB)
    vault.create(settings=_file(vault.folder / "postroad.toml", "hostname = 'mx'\n"))
    back = vault.restore()
    assert back.seen(ADA) == vault.desk.seen(ADA)
    assert back.seen(BOB) == vault.desk.seen(BOB)
    assert back.problems() == []
    assert (back.data / "postroad.toml.saved").read_text() == "hostname = 'mx'\n"
    assert [account.address for account in snapshot.load(back.data).accounts] == [
        "ada@demo.test",
        "bob@demo.test",
    ]
    assert not (back.data / UNFINISHED).exists()


def test_uids_stay_and_none_is_given_twice(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n) for n in range(5)))
    vault.create()
    mailbox = "SELECT uidvalidity, uidnext FROM mailbox WHERE account_id = 1 AND name = 'INBOX'"
    uids = "SELECT group_concat(uid) FROM entry WHERE account_id = 1"
    with vault.desk.open() as (database, _):
        ((validity, uidnext),) = database.read(lambda reader: reader.rows(mailbox))
        numbers = database.read(lambda reader: reader.row(uids))
    vault.desk.put("INBOX", letter(6))  # lost by the restore, and seen by a client
    back = vault.restore()
    assert back.row(mailbox) == (validity, uidnext + UIDS)
    assert back.row(uids) == numbers


def test_a_client_is_told_of_flags_that_went_back(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n) for n in range(5)))
    vault.create()
    vault.desk.put("INBOX", *(letter(n) for n in range(5, 50)))
    with vault.desk.open() as (database, _):
        known = database.read(lambda reader: reader.value("SELECT modseq FROM account WHERE id = 1"))
    back = vault.restore()
    assert back.row("SELECT min(modseq) FROM entry WHERE account_id = 1") > (known,)
    highest = back.row("SELECT modseq FROM account WHERE id = 1")
    assert back.row("SELECT max(modseq) FROM mailbox WHERE account_id = 1") == highest
    assert back.row("SELECT max(modseq) FROM entry WHERE account_id = 1") == highest
    assert back.row("SELECT min(created_modseq) FROM entry WHERE account_id = 1") == highest


def test_an_index_made_again_after_a_restore_does_not_go_back(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n) for n in range(5)))
    vault.create()
    back = vault.restore()
    numbers = "SELECT uidvalidity, uidnext FROM mailbox WHERE account_id = 1 AND name = 'INBOX'"
    validity, uidnext = back.row(numbers)
    (modseq,) = back.row("SELECT modseq FROM account WHERE id = 1")
    mail = back.seen()
    (back.data / "index.db").unlink()
    mend(back.data, thorough=True, progress=lambda _done, _all: None)
    assert back.seen() == mail
    assert back.row(numbers)[0] == validity
    assert back.row(numbers)[1] >= uidnext
    assert back.row("SELECT modseq FROM account WHERE id = 1") >= (modseq,)


def test_a_mailbox_near_its_last_uid_is_a_new_one(vault: Vault) -> None:
    sql = "UPDATE mailbox SET uidnext = 4294000000 WHERE account_id = 1 AND name = 'INBOX'"
    with vault.desk.open() as (database, _):
        database.write(lambda tx: tx.run(sql))
        before = database.read(lambda reader: by_name(reader, ADA, "INBOX"))
    vault.create()
    assert before is not None
    validity, uidnext = vault.restore().row(
        "SELECT uidvalidity, uidnext FROM mailbox WHERE account_id = 1 AND name = 'INBOX'"
    )
    assert validity > before.uidvalidity
    assert uidnext == before.uidnext


def test_numbers_of_accounts_and_mailboxes_that_were_lost_are_not_given_again(vault: Vault) -> None:
    vault.create()
    with vault.desk.open() as (database, _):
        before = database.read(lambda reader: reader.value("SELECT next_account_id FROM directory_state"))
    assert vault.restore().row("SELECT next_account_id FROM directory_state") == (before + IDS,)


def test_what_waits_in_the_queue_is_held(vault: Vault) -> None:
    with vault.desk.open() as (database, _):
        database.write(queue_one)
        database.write(partial(lease, worker="w0", settings=Queue(), room=10, working=()))
    vault.create()
    back = vault.restore()
    assert back.restored.waiting == 1
    assert back.row("SELECT held, lease_id FROM queue_recipient") == (1, None)
    assert back.row("SELECT count(*) FROM queue_lease") == (0,)
    assert back.row("SELECT count(*) FROM queue_destination WHERE due IS NOT NULL") == (0,)
    back = vault.restore("released", hold_queue=False)
    assert back.row("SELECT held, lease_id FROM queue_recipient") == (0, None)
    assert back.row("SELECT destination FROM queue_destination WHERE due IS NOT NULL") == ("client.test",)


def test_subscriptions_and_the_certificate_come_back(vault: Vault) -> None:
    (vault.data / "tls").mkdir()
    _file(vault.data / "tls" / "self-signed.pem", "certificate")
    with vault.desk.open() as (database, _):
        database.write(lambda tx: subscribe(tx, ADA, "Gone", on=True))
    vault.create()
    back = vault.restore()
    assert (back.data / "tls" / "self-signed.pem").read_text() == "certificate"
    assert back.row("SELECT 1 FROM subscription WHERE name = 'Gone'") == (1,)


def test_dkim_keys_come_back_and_open(vault: Vault) -> None:
    seal = Seal.of(vault.data)
    with vault.desk.open() as (database, _):
        database.write(
            lambda tx: [
                dkim_keys.note_shown(tx, key, who="test")
                for key in dkim_keys.add_keys(tx, "demo.test", [dkim_keys.draw("ed25519")], seal, who="test")
            ]
        )
    vault.create()
    back = vault.restore()
    with open_offline(back.data) as database:
        keys = database.read(lambda reader: dkim_keys.signing_keys(reader, "demo.test", Seal.of(back.data)))
    assert [key.kind for key in keys] == ["ed25519"]
    assert stat.S_IMODE((back.data / "seal.key").stat().st_mode) == 0o600


def test_an_earlier_time_comes_back(vault: Vault) -> None:
    vault.desk.put("INBOX", letter(1))
    early = vault.create().manifest
    vault.desk.put("INBOX", letter(2))
    vault.create()
    assert len(vault.restore("early", early).seen()["INBOX"]) == 1
    assert len(vault.restore("late").seen()["INBOX"]) == 2


def test_nothing_is_restored_over_something(vault: Vault) -> None:
    vault.create()
    (vault.folder / "restored").mkdir()
    _file(vault.folder / "restored" / "letter.txt", "mine")
    with pytest.raises(NotEmpty, match=r"letter\.txt"):
        vault.restore()
    assert os.listdir(vault.folder / "restored") == ["letter.txt"]


def test_a_restore_that_broke_off_is_no_empty_server(vault: Vault) -> None:
    vault.desk.put("INBOX", letter(1, 50_000))
    vault.create()
    lost = list(vault.chunks())
    for chunk in lost:
        chunk.rename(chunk.with_suffix(".gone"))
    with pytest.raises(Tampered, match="is missing"):
        vault.restore()
    with pytest.raises(UnfinishedRestore, match="postroad backup restore again"):
        prepare_data(vault.folder / "restored")
    for chunk in lost:
        chunk.with_suffix(".gone").rename(chunk)
    assert len(vault.restore().seen()["INBOX"]) == 1


def test_a_backup_of_an_older_schema_is_upgraded(vault: Vault, tmp_path: Path) -> None:
    vault.desk.data = unpack(1, tmp_path / "old")
    made = vault.create()
    assert made.manifest.schema == 1
    back = vault.restore()
    assert back.row("PRAGMA user_version") == (LATEST,)
    assert back.problems() == []
    assert vault.verify() == []


def test_an_index_that_is_not_what_the_manifest_says_is_refused(vault: Vault) -> None:
    import msgspec

    vault.desk.put("INBOX", letter(1))
    manifest = vault.create().manifest
    other = msgspec.structs.replace(manifest.inventory, messages=2)
    with pytest.raises(Different, match="had 2 messages, 1 came back"):
        vault.restore(manifest=msgspec.structs.replace(manifest, inventory=other))
    other = msgspec.structs.replace(manifest.inventory, digest=bytes(32))
    with pytest.raises(Different, match="other flags"):
        vault.restore("again", manifest=msgspec.structs.replace(manifest, inventory=other))


def test_despite_damage_all_else_comes_back(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n, 100_000) for n in range(30)))
    manifest = vault.create().manifest
    pack = next(file for file in manifest.files if file.path.endswith(".pack"))
    _chunk(vault, pack.pieces[1].name).unlink()
    with pytest.raises(Tampered, match=pack.path):
        vault.restore()
    shutil.rmtree(vault.folder / "restored")
    back = vault.restore(despite_damage=True)
    assert len(back.restored.lost) == 1
    problems = back.problems()
    assert 1 <= len(problems) < 15
    assert back.row("SELECT count(*) FROM entry WHERE account_id = 1") == (30,)


def _chunk(vault: Vault, name: bytes) -> Path:
    return vault.folder / "target" / "chunks" / name.hex()[:2] / name.hex()


def _file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_progress_ends_where_it_said(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n, 100_000) for n in range(20)))
    manifest = vault.create().manifest
    told: list[Any] = []
    vault.restore(progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (manifest.octets, manifest.octets)
