"""What goes out comes back: every octet, flag, keyword and date, in every format."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroad.importer.manifest import Format
from postroad.importer.mbox import MboxSource, MboxTarget
from postroad.importer.values import Carried, Folder
from postroad.model.flags import Flag
from postroad.store.blobs.pack import pack_path
from postroad.store.errors import NoSuchMailbox
from postroad.store.types import NewMessage
from tests.unit.importer.desk import BOB, Desk

FORMATS: list[Format] = ["maildir", "mbox", "eml"]
HEAD = b"Return-Path: <eve@elsewhere.test>\r\nFrom: eve@elsewhere.test\r\nSubject: %b\r\n"
DATE = 1_700_000_000
ODD_NAMES = (
    "Projects/Äpfel & Birnen",
    "Archive.2024/Q1.mbox",
    "a~b:c\\d",
    ".hidden",
    "INBOX/below",
    "long/" + "ü" * 300,
    "Trash/00000001.eml",
)


def mail(subject: bytes, body: bytes = b"Hello.\r\n", **beside: object) -> NewMessage:
    return NewMessage(HEAD % subject + b"\r\n" + body, **beside)  # type: ignore[arg-type]


def fill(desk: Desk) -> None:
    every_flag = int(Flag.ANSWERED | Flag.FLAGGED | Flag.DELETED | Flag.SEEN | Flag.DRAFT)
    desk.put(
        "INBOX",
        mail(b"plain", internal_date=DATE),
        mail(b"flags", flags=every_flag, keywords=frozenset({"$Forwarded", "work"}), internal_date=DATE + 1),
        mail(b"quoted", b"From here\r\n>From there\r\n>>From\r\n\r\nFrom me\r\n", internal_date=5),
        mail(b"copy", internal_date=DATE + 2),
        mail(b"copy", internal_date=DATE + 2),
        NewMessage(b"Status: mine\r\nX-Status: too\r\nX-Keywords: also\r\nSubject: own\r\n\r\nx\r\n"),
    )
    for number, name in enumerate(ODD_NAMES):
        desk.put(name, mail(b"in %d" % number, internal_date=DATE + number))


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_written_is_read_again(desk: Desk, tmp_path: Path, kind: Format) -> None:
    fill(desk)
    before = desk.seen()
    report = desk.export(tmp_path / "out", kind)
    assert (report.messages, report.bad) == (6 + len(ODD_NAMES), [])
    report = desk.load(tmp_path / "out")
    assert (report.messages, report.present, report.bad) == (6 + len(ODD_NAMES), 0, [])
    assert desk.seen(BOB) == before


@pytest.mark.parametrize("kind", FORMATS)
def test_reading_twice_files_nothing_twice(desk: Desk, tmp_path: Path, kind: Format) -> None:
    fill(desk)
    desk.export(tmp_path / "out", kind)
    desk.load(tmp_path / "out")
    report = desk.load(tmp_path / "out")
    assert (report.messages, report.present, report.mailboxes) == (0, 6 + len(ODD_NAMES), 0)
    assert desk.seen(BOB) == desk.seen()


@pytest.mark.parametrize("kind", ["maildir", "eml"])
def test_line_ends_that_are_not_those_of_mail_are_kept(desk: Desk, tmp_path: Path, kind: Format) -> None:
    odd = [b"A: b\r\n\r\nbare\nand\r\n", b"A: b\n\nbare only\n", b"A: b\r\n\r\nno end", b"A: b\r\n\r\n\r\r\n"]
    desk.put("INBOX", *map(NewMessage, odd))
    desk.export(tmp_path / "out", kind)
    desk.load(tmp_path / "out")
    assert [message.body for message in desk.seen(BOB)["INBOX"]] == odd


@pytest.mark.parametrize("kind", FORMATS)
def test_a_message_whose_octets_are_damaged_is_named_and_left_out(
    desk: Desk, tmp_path: Path, kind: Format
) -> None:
    desk.put("INBOX", mail(b"one"), mail(b"two"), mail(b"three"))
    pack = pack_path(desk.data / "packs", 1)
    octets = pack.read_bytes()
    pack.write_bytes(octets.replace(b"Subject: two", b"Subject: 2wo"))
    report = desk.export(tmp_path / "out", kind)
    assert report.messages == 2
    assert list(map(str, report.bad)) == ["INBOX, UID 2: its octets do not match their digest"]
    desk.load(tmp_path / "out")
    assert len(desk.seen(BOB)["INBOX"]) == 2


def test_only_the_mailboxes_that_are_named_are_written(desk: Desk, tmp_path: Path) -> None:
    fill(desk)
    assert desk.export(tmp_path / "out", "maildir", ".hidden").messages == 1
    with pytest.raises(NoSuchMailbox, match="there is no mailbox Nowhere"):
        desk.export(tmp_path / "other", "maildir", "Nowhere")


def test_special_uses_and_subscriptions_come_along(desk: Desk, tmp_path: Path) -> None:
    desk.export(tmp_path / "out", "eml")
    folders = json.loads((tmp_path / "out" / "postroad.json").read_text())["folders"]
    assert ("Sent", "\\Sent", True) in [(f["name"], f["special_use"], f["subscribed"]) for f in folders]


def test_a_maildir_has_letters_for_26_keywords_and_says_which_are_left_out(
    desk: Desk, tmp_path: Path
) -> None:
    words = frozenset(f"k{n:02}" for n in range(28))
    desk.put("INBOX", mail(b"many", keywords=words))
    report = desk.export(tmp_path / "out", "maildir")
    assert [bad.why[:15] for bad in report.bad] == ["the keyword k26", "the keyword k27"]
    desk.load(tmp_path / "out")
    assert desk.seen(BOB)["INBOX"][0].keywords.split() == sorted(words)[:26]


def test_all_of_it_goes_below_one_mailbox(desk: Desk, tmp_path: Path) -> None:
    fill(desk)
    desk.export(tmp_path / "out", "mbox")
    desk.load(tmp_path / "out", into="Old/Home")
    seen = desk.seen(BOB)
    assert seen["INBOX"] == []
    assert len(seen["Old/Home"]) == 6
    assert len(seen["Old/Home/Projects/Äpfel & Birnen"]) == 1


LINES = st.lists(
    st.one_of(
        st.sampled_from([b"", b"From ", b">From a", b"From a Sat Jan  3 01:05:34 1996", b"Status: R", b">"]),
        st.binary(max_size=12).map(lambda line: line.translate(None, b"\0\r\n")),
    ),
    max_size=12,
)
HEADERS = st.lists(
    st.sampled_from([b"From: a@b", b"Status: RO", b"X-Status: A", b"X-Keywords: x", b"A: b\r\n c"]),
    min_size=1,
    max_size=4,
)


@settings(max_examples=100)
@given(messages=st.lists(st.tuples(HEADERS, LINES), min_size=1, max_size=4))
def test_an_mbox_gives_back_every_octet(
    tmp_path_factory: pytest.TempPathFactory, messages: list[tuple[list[bytes], list[bytes]]]
) -> None:
    directory = tmp_path_factory.mktemp("mbox")
    bodies = [b"".join(line + b"\r\n" for line in [*header, b"", *lines]) for header, lines in messages]
    target = MboxTarget(directory)
    folder = Folder("INBOX", place=target.place("INBOX"))
    target.begin(folder)
    for uid, body in enumerate(bodies):
        target.add(uid, Carried(body, uid % 32, frozenset(), DATE + uid, 0))
    target.finish()
    read = list(MboxSource(directory, [folder]).messages(folder))
    assert [message.body for message in read if isinstance(message, Carried)] == bodies
    assert [(m.flags, m.internal_date) for m in read if isinstance(m, Carried)] == [
        (uid % 32, DATE + uid) for uid in range(len(bodies))
    ]
