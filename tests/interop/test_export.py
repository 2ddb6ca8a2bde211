"""Mail goes to Dovecot as Maildir and mbox and comes back from it, beside a running server."""

import imaplib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.doveadm import Doveadm
from tests.interop.postroad_server import PASSWORD, Postroad
from tests.interop.processes import run

MAIL = b"From: eve@elsewhere.test\r\nSubject: %b\r\n\r\nHello.\r\nFrom me\r\n"
THEN = '"03-Jan-1998 01:05:34 +0000"'


@pytest.fixture
def doveadm() -> Iterator[Doveadm]:
    """In a directory that others may look into, unlike those that pytest makes."""
    with tempfile.TemporaryDirectory(prefix="postroad-export-") as name:
        Path(name).chmod(0o755)
        yield Doveadm(Path(name))


def fill(server: Postroad) -> None:
    with imaplib.IMAP4_SSL("localhost", server.ports.imaps, ssl_context=server.tls_context()) as client:
        client.login("ada@ours.test", PASSWORD)
        client.append("INBOX", "(\\Seen \\Flagged $Forwarded)", THEN, MAIL % b"one")
        client.append("INBOX", "", THEN, MAIL % b"two")
        client.create('"Work/2024"')
        client.append('"Work/2024"', "(\\Answered)", THEN, MAIL % b"three")


def listing(doveadm: Doveadm, location: str, mailbox: str) -> list[list[str]]:
    fields = "hdr.subject flags date.received size.virtual"
    said = doveadm(location, "-f", "tab", "fetch", fields, "mailbox", mailbox)
    return [line.split("\t") for line in said.splitlines()[1:]]


def test_dovecot_reads_our_maildir(server: Postroad, doveadm: Doveadm) -> None:
    fill(server)
    out = doveadm.home / "out"
    server.cli("account", "export", "ada@ours.test", str(out))
    size = str(len(MAIL % b"one"))
    one, two = sorted(listing(doveadm, f"maildir:{out}", "INBOX"))
    assert one == ["one", "\\Flagged \\Seen \\Recent $Forwarded", "1998-01-03 01:05:34", size]
    assert two[0] == "two"
    ((subject, flags, date, _),) = listing(doveadm, f"maildir:{out}", "Work.2024")
    assert (subject, flags, date) == ("three", "\\Answered \\Recent", "1998-01-03 01:05:34")


def test_dovecot_reads_our_mbox(server: Postroad, doveadm: Doveadm) -> None:
    fill(server)
    out = doveadm.home / "out"
    server.cli("account", "export", "ada@ours.test", str(out), "--format", "mbox")
    one, two = listing(doveadm, f"mbox:{out}:INBOX={out}/INBOX.mbox", "INBOX")
    assert one[:3] == ["one", "\\Flagged \\Seen $Forwarded", "1998-01-03 01:05:34"]
    assert two[:2] == ["two", ""]


@pytest.mark.parametrize("kind", ["maildir", "mbox"])
def test_what_dovecot_has_written_comes_in(server: Postroad, doveadm: Doveadm, kind: str) -> None:
    place = doveadm.home / "theirs"
    location = f"maildir:{place}" if kind == "maildir" else f"mbox:{place}:INBOX={place}/inbox"
    place.mkdir()
    if kind == "mbox":
        (place / "inbox").touch()
    doveadm(location, "mailbox", "create", "Work")
    for mailbox, subject in (("INBOX", b"one"), ("INBOX", b"two"), ("Work", b"three")):
        doveadm(location, "save", "-m", mailbox, stdin=(MAIL % subject).decode())
    doveadm(location, "flags", "add", "\\Seen \\Answered later", "mailbox", "INBOX", "subject", "one")
    if os.geteuid() == 0:
        run("chown", "-R", "root:root", place)  # whose the data directory of this server is
    server.cli("account", "import", "bob@ours.test", str(place))
    with imaplib.IMAP4_SSL("localhost", server.ports.imaps, ssl_context=server.tls_context()) as client:
        client.login("bob@ours.test", PASSWORD)
        client.select("INBOX")
        assert client.search(None, "SUBJECT one SEEN ANSWERED KEYWORD later")[1] == [b"1"]
        assert client.search(None, "SUBJECT two UNSEEN")[1] == [b"2"]
        _, ((_, body), *_) = client.fetch("1", "(BODY.PEEK[])")  # type: ignore[misc]  # a literal comes as a pair
        assert body == MAIL % b"one"
        assert client.select("Work")[1] == [b"1"]
