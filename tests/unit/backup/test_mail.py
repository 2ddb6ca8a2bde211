"""One account, one mailbox, one message out of a backup into the running server."""

import pytest

from postroad.backup.errors import NotInBackup
from postroad.backup.mail import Wanted
from postroad.config.limits import Limits
from postroad.model.annotation import Annotation
from postroad.store.annotating import annotate
from postroad.store.crossing import Place
from postroad.store.mailboxes import by_name
from tests.unit.backup.vault import Vault, letter
from tests.unit.importer.desk import ADA

INTO = "Restored 2026-11-28"


@pytest.fixture
def mail(vault: Vault) -> Vault:
    """Some mail of ada, in a backup."""
    vault.desk.put("INBOX", *(letter(n, 3000) for n in range(10)))
    vault.desk.put("Work/Plans", *(letter(n) for n in range(10, 14)))
    vault.create()
    return vault


def test_an_account_comes_back_into_a_mailbox_of_its_own(mail: Vault) -> None:
    before = mail.desk.seen()
    report = mail.pick(into=INTO)
    after = mail.desk.seen()
    assert report.messages == 14
    assert after[INTO] == before["INBOX"]
    assert after[f"{INTO}/Work/Plans"] == before["Work/Plans"]
    assert after["INBOX"] == before["INBOX"]


def test_twice_is_once(mail: Vault) -> None:
    mail.pick(into=INTO)
    before = mail.desk.seen()
    report = mail.pick(into=INTO)
    assert (report.messages, report.present) == (0, 14)
    assert mail.desk.seen() == before


def test_in_place_only_what_is_missing_comes_back(mail: Vault) -> None:
    before = mail.desk.seen()
    with mail.desk.open() as (database, _):
        from postroad.store.entries import expunge

        database.write(lambda tx: expunge(tx, ADA, 1, [(3, 5)], only_deleted=False, keep=True))
    report = mail.pick()
    assert (report.messages, report.present) == (3, 11)
    assert sorted(mail.desk.seen()["INBOX"]) == sorted(before["INBOX"])


def test_one_mailbox(mail: Vault) -> None:
    assert mail.pick(Wanted("Work/Plans"), into=INTO).messages == 4
    assert f"{INTO}/Work/Plans" in mail.desk.seen()


def test_one_message_by_its_uid(mail: Vault) -> None:
    assert mail.pick(Wanted("inbox", uid=4), into=INTO).messages == 1
    assert mail.desk.seen()[INTO] == [mail.desk.seen()["INBOX"][3]]


def test_one_message_by_its_message_id(mail: Vault) -> None:
    assert mail.pick(Wanted(message_id="m12@e.test"), into=INTO).messages == 1
    assert mail.desk.seen()[f"{INTO}/Work/Plans"] == [mail.desk.seen()["Work/Plans"][2]]


def test_messages_that_are_alike_come_back_as_often_as_they_were(vault: Vault) -> None:
    vault.desk.put("INBOX", letter(1), letter(1), letter(1))
    vault.create()
    assert vault.pick(into=INTO).messages == 3
    assert vault.pick(into=INTO).messages == 0


@pytest.mark.parametrize(
    ("wanted", "address", "says"),
    [
        (Wanted(), "eve@demo.test", "no account eve@demo.test"),
        (Wanted("Nowhere"), "ada@demo.test", "no mailbox Nowhere"),
        (Wanted("INBOX", uid=99), "ada@demo.test", "no message UID 99"),
        (Wanted(message_id="x@y"), "ada@demo.test", "no message <x@y>"),
    ],
)
def test_what_the_backup_does_not_hold_is_said(mail: Vault, wanted: Wanted, address: str, says: str) -> None:
    with pytest.raises(NotInBackup, match=says):
        mail.pick(wanted, address=address)


def test_a_damaged_message_is_named_and_the_others_come_back(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n, 300_000) for n in range(10)))
    manifest = vault.create().manifest
    pack = next(file for file in manifest.files if file.path.endswith(".pack"))
    name = pack.pieces[1].name.hex()
    (vault.folder / "target" / "chunks" / name[:2] / name).unlink()
    report = vault.pick(into=INTO)
    assert 3 <= len(report.bad) <= 6
    assert name in report.bad[0].why
    assert "INBOX, UID" in report.bad[0].where
    assert report.messages == 10 - len(report.bad)


def test_a_message_that_is_too_large_today_comes_back_all_the_same(mail: Vault) -> None:
    report = mail.pick(into=INTO, limits=Limits(message_size=1000))
    assert (report.messages, report.bad) == (14, [])


def test_notes_about_messages_come_back_with_them(vault: Vault) -> None:
    vault.desk.put("INBOX", letter(1), letter(2))
    notes = [Annotation("/comment", True, b"mine"), Annotation("/comment", False, b"ours")]
    with vault.desk.open() as (database, _):
        place = Place(ADA, 1, ADA)
        database.write(lambda tx: annotate(tx, place, [(2, 2)], notes, None, Limits()))
        bobs = Place(ADA, 1, ADA + 1)
        database.write(lambda tx: tx.run("INSERT INTO share VALUES (?, 1, ?, 0, 'lr')", ADA, ADA + 1))
        database.write(lambda tx: annotate(tx, bobs, [(2, 2)], notes[:1], None, Limits()))
    vault.create()
    vault.pick(into=INTO)
    with vault.desk.open() as (database, _):
        made = database.read(lambda r: by_name(r, ADA, INTO))
        assert made is not None
        assert made.messages == 2
        sql = "SELECT uid, user_id, entry, value FROM message_annotation WHERE mailbox_id = ?"
        found = database.read(lambda r: r.rows(sql, made.id))
    assert found == [(2, 0, "/comment", b"ours"), (2, ADA, "/comment", b"mine")]
