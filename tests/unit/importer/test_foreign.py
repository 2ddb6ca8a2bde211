"""Files that other programs wrote, and files that nobody should have written."""

import mailbox
import os
from contextlib import closing
from pathlib import Path

import pytest

from postroad.config.limits import Limits
from postroad.importer.formats import UnknownFormat, open_source
from postroad.importer.load import AccountFull
from postroad.importer.manifest import BadManifest
from postroad.importer.values import with_crlf
from postroad.model.flags import Flag
from postroad.store.types import NewMessage
from tests.unit.importer.desk import BOB, Desk

MAIL = b"From: a@b.test\nSubject: s\n\nHello.\n"
CRLF = MAIL.replace(b"\n", b"\r\n")
FROM = b"From eve@elsewhere.test Sat Jan  3 01:05:34 1998\n"
THEN = 883789534


def write(path: Path, *octets: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(octets))
    return path


def maildir(path: Path, *folders: str) -> Path:
    for folder in folders:
        for name in ("cur", "new", "tmp"):
            (path / folder / name).mkdir(parents=True, exist_ok=True)
    return path


# -- Maildir ---------------------------------------------------------------


def test_a_maildir_of_dovecot(desk: Desk, tmp_path: Path) -> None:
    root = maildir(tmp_path / "Maildir", "", ".Sent", ".Work.&AMQ-pfel", ".Caf\u00e9")
    write(root / "cur" / "1.M1P2.host,S=34,W=38:2,FSa", MAIL)
    os.utime(root / "cur" / "1.M1P2.host,S=34,W=38:2,FSa", (THEN, THEN))
    write(root / "new" / "2.M2.host", MAIL)
    write(root / "dovecot-keywords", b"0 work\nnonsense\n")
    write(root / ".Work.&AMQ-pfel" / "cur" / "3.x:2,RTDP", MAIL)
    write(root / ".Caf\u00e9" / "cur" / "4.x:2,", MAIL)
    write(root / "tmp" / "5.half", b"From: a")
    report = desk.load(root)
    assert (report.messages, report.bad) == (4, [])
    seen = desk.seen(BOB)
    assert seen["INBOX"][0] == (CRLF, Flag.FLAGGED | Flag.SEEN, "work", THEN)
    assert seen["INBOX"][1].flags == 0
    assert seen["Work/Äpfel"][0].flags == Flag.ANSWERED | Flag.DELETED | Flag.DRAFT
    assert seen["Work/Äpfel"][0].keywords == "$Forwarded"
    assert seen["Sent"] == []
    assert len(seen["Café"]) == 1


def test_maildirs_below_one_another_as_mbsync_makes_them(desk: Desk, tmp_path: Path) -> None:
    root = maildir(tmp_path / "Mail", "INBOX", "Archive/2024")
    write(root / "INBOX" / "cur" / "1.x,U=1:2,S", MAIL)
    write(root / "Archive" / "2024" / "cur" / "1.x,U=1:2,S", MAIL)
    desk.load(root)
    assert {name for name, mail in desk.seen(BOB).items() if mail} == {"INBOX", "Archive/2024"}


def test_a_maildir_of_pythons_own(desk: Desk, tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "box")
    message = mailbox.MaildirMessage(MAIL)
    message.set_subdir("cur")
    message.set_flags("RS")
    message.set_date(THEN)
    box.add(message)
    box.add_folder("Old").add(MAIL)
    box.close()
    desk.load(tmp_path / "box")
    assert desk.seen(BOB)["INBOX"] == [(CRLF, Flag.ANSWERED | Flag.SEEN, "", THEN)]
    assert [m.body for m in desk.seen(BOB)["Old"]] == [CRLF]


def test_damaged_files_of_a_maildir_are_named_and_skipped(desk: Desk, tmp_path: Path) -> None:
    root = maildir(tmp_path / "Maildir", "")
    write(root / "cur" / "1.good:2,", MAIL)
    write(root / "cur" / "2.torn,S=99:2,", MAIL)
    write(root / "cur" / "3.empty:2,")
    write(root / "cur" / "4.zeros:2,", MAIL, bytes(100))
    write(root / "cur" / "5.noise:2,", b"\xff\xfe\nno mail at all\n")
    write(root / "cur" / "6.large:2,", MAIL, b"x" * 2000)
    write(root / "cur" / "7.good:2,", MAIL)
    report = desk.load(root, limits=Limits(message_size=1500))
    assert report.messages == 2
    assert list(map(str, report.bad)) == [
        "INBOX/2.torn,S=99:2,: has 34 octets and not 99, as its name says",
        "INBOX/3.empty:2,: is empty",
        "INBOX/4.zeros:2,: holds NUL octets, as after a crash",
        "INBOX/5.noise:2,: has no header field, so it is no message",
        "INBOX/6.large:2,: 2038 octets are more than message_size allows (1500)",
    ]


# -- mbox ------------------------------------------------------------------


def test_an_mbox_with_the_fields_of_mutt(desk: Desk, tmp_path: Path) -> None:
    fields = b"Status: RO\nX-Status: AF\nX-Keywords: work, later\nContent-Length: 7\n"
    path = write(tmp_path / "Saved", FROM, b"From: a@b.test\n", fields, b"\nHello.\n\n", FROM, MAIL)
    assert desk.load(path).messages == 2
    first, second = desk.seen(BOB)["Saved"]
    assert first.body == b"From: a@b.test\r\n\r\nHello.\r\n"
    assert (first.flags, first.keywords) == (Flag.SEEN | Flag.ANSWERED | Flag.FLAGGED, "later work")
    assert (first.internal_date, second.body, second.flags) == (THEN, CRLF, 0)


def test_the_folders_of_thunderbird(desk: Desk, tmp_path: Path) -> None:
    status = b"X-Mozilla-Status: 1005\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label1 nonjunk\n"
    root = tmp_path / "Local Folders"
    write(root / "Inbox", b"From - Sat Jan  3 01:05:34 1998\r\n", with_crlf(status), CRLF, b"\r\n")
    write(root / "Inbox.msf", b'// <!-- <mdb:mork:z v="1.4"/> -->')
    write(root / "Work.sbd" / "2024", b"From \n", MAIL, b"\n")
    assert desk.load(root).messages == 2
    seen = desk.seen(BOB)
    assert seen["INBOX"] == [(CRLF, Flag.SEEN | Flag.FLAGGED, "$Forwarded $label1 nonjunk", THEN)]
    assert len(seen["Work/2024"]) == 1


def test_an_mbox_of_pythons_own(desk: Desk, tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "box.mbox")
    message = mailbox.mboxMessage(MAIL + b"From the start\n")
    message.set_flags("ROA")
    box.add(message)
    box.add(MAIL)
    box.close()
    desk.load(tmp_path / "box.mbox")
    first, second = desk.seen(BOB)["box"]
    assert first.flags == Flag.SEEN | Flag.ANSWERED
    assert first.body == CRLF + b"From the start\r\n"
    assert second.body == CRLF


def test_what_we_write_is_read_by_python(desk: Desk, tmp_path: Path) -> None:
    keep = NewMessage(CRLF + b"From the start\r\n", int(Flag.SEEN | Flag.FLAGGED), internal_date=THEN)
    desk.put("Work/2024", keep)
    desk.export(tmp_path / "mbox", "mbox")
    with closing(mailbox.mbox(tmp_path / "mbox" / "Work" / "2024.mbox")) as box:
        (message,) = box
    assert (message.get_from(), message.get_flags()) == ("MAILER-DAEMON Sat Jan  3 01:05:34 1998", "ROF")
    assert message.get_payload() == "Hello.\n>From the start\n"
    desk.export(tmp_path / "maildir", "maildir")
    folder = mailbox.Maildir(tmp_path / "maildir").get_folder("Work.2024")
    (kept,) = folder
    assert (kept.get_flags(), kept.get_date(), kept.as_bytes()) == ("FS", THEN, MAIL + b"From the start\n")


def test_damaged_messages_of_an_mbox_are_named_and_skipped(desk: Desk, tmp_path: Path) -> None:
    path = write(
        tmp_path / "box.mbox",
        b"From nobody\n\nnoise in front\n\n",
        *(FROM, MAIL, b"\n"),
        *(FROM, b"\n", FROM, b"\xff\xff\xff\n\n"),
        *(FROM, MAIL, b"\nFrom here on: text\n\nFrom a text without a date\n\n"),
    )
    report = desk.load(path)
    assert report.messages == 2
    assert list(map(str, report.bad)) == [
        "box: its first 29 octets belong to no message",
        "box, message 2: has no header field, so it is no message",
        "box, message 3: has no header field, so it is no message",
    ]
    assert desk.seen(BOB)["box"][1].body.endswith(b"\r\n\r\nFrom a text without a date\r\n")


def test_the_first_message_of_dovecot_and_pine_is_none(desk: Desk, tmp_path: Path) -> None:
    own = b"From: x@y\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\nText.\n\n"
    path = write(tmp_path / "box", FROM, own, FROM, MAIL)
    report = desk.load(path)
    assert (report.messages, report.bad) == (1, [])


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (b"From a@b Sat Jan  3 01:05:34 1998", THEN),
        (b"From a@b Sat Jan  3 02:05:34 1998 +0100", THEN),
        (b"From a@b Sat Jan  3 02:05:34 +0100 1998", THEN),
        (b"From a@b Sat Jan  3 01:05:34 UTC 1998", THEN),
        (b"From a@b  Sat Jan 03 01:05 1998", THEN - 34),
        (b"From a@b Sat Jan 33 01:05:34 1998", 883789535),
    ],
)
def test_dates_of_from_lines(desk: Desk, tmp_path: Path, line: bytes, seconds: int) -> None:
    date = b"Date: Sat, 3 Jan 1998 01:05:35 +0000\n"
    desk.load(write(tmp_path / "box", line + b"\n", date, MAIL))
    assert desk.seen(BOB)["box"][0].internal_date == seconds


# -- eml -------------------------------------------------------------------


def test_eml_files_and_when_they_arrived(desk: Desk, tmp_path: Path) -> None:
    date = b"Date: Sat, 3 Jan 1998 01:05:34 +0000\n"
    trace = (
        b"Received: by x; Sat, 3 Jan 1998 01:06:34 +0000\nReceived: by y; Sat, 3 Jan 1998 01:05:39 +0000\n"
    )
    write(tmp_path / "in" / "a.eml", date, MAIL)
    write(tmp_path / "in" / "b.eml", trace, date, MAIL)
    write(tmp_path / "in" / "c.eml", MAIL)
    os.utime(tmp_path / "in" / "c.eml", (THEN + 7, THEN + 7))
    write(tmp_path / "in" / "Old stuff" / "d.eml", CRLF)
    write(tmp_path / "in" / "notes.txt", b"not mail")
    assert desk.load(tmp_path / "in").messages == 4
    assert [m.internal_date - THEN for m in desk.seen(BOB)["INBOX"]] == [0, 60, 7]
    assert len(desk.seen(BOB)["Old stuff"]) == 1
    assert desk.load(tmp_path / "in" / "a.eml", into="One").messages == 1


# -- what cannot be --------------------------------------------------------


def test_names_that_no_mailbox_can_have_become_near_ones(desk: Desk, tmp_path: Path) -> None:
    write(tmp_path / "in" / "100% wool*" / "..." / "a.eml", MAIL)
    assert desk.load(tmp_path / "in").messages == 1
    assert len(desk.seen(BOB)["100_ wool_/..."]) == 1


def test_folders_that_no_mailbox_can_be_are_named_and_skipped(desk: Desk, tmp_path: Path) -> None:
    write(tmp_path / "in" / Path(*"abc") / "a.eml", MAIL)
    write(tmp_path / "in" / "fine" / "a.eml", MAIL)
    report = desk.load(tmp_path / "in", limits=Limits(mailbox_depth=2))
    assert report.messages == 1
    assert [str(bad) for bad in report.bad] == ["a/b/c: cannot be a mailbox here: more than 2 levels"]


def test_nothing_and_nonsense_are_no_mail(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match="there is no"):
        open_source(tmp_path / "nothing")
    with pytest.raises(UnknownFormat, match="holds no Maildir, no mbox and no eml file"):
        open_source(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"format":"mbox","address":"a@b","folders":[{"name":"x","place":"../../etc/passwd"}]}',
        '{"format":"mbox","address":"a@b","folders":[{"name":"x","place":"/etc/passwd"}]}',
        '{"format":"mbox","version":2,"address":"a@b","folders":[]}',
    ],
)
def test_a_manifest_that_cannot_be_believed(tmp_path: Path, text: str) -> None:
    (tmp_path / "postroad.json").write_text(text)
    with pytest.raises(BadManifest):
        open_source(tmp_path)


def test_a_full_account_takes_what_it_has_room_for(desk: Desk, tmp_path: Path) -> None:
    with desk.open() as (database, _):
        database.write(lambda tx: tx.run("UPDATE account SET quota_messages = 3 WHERE id = ?", BOB))
    desk.put("INBOX", *(NewMessage(CRLF + b"%d\r\n" % n) for n in range(5)))
    desk.export(tmp_path / "out", "mbox")
    with pytest.raises(AccountFull) as full:
        desk.load(tmp_path / "out")
    assert full.value.report.messages == len(desk.seen(BOB)["INBOX"]) == 3
