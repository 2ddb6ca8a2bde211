"""A server that came back from a backup, as its clients see it, and mail that comes back into one."""

import imaplib
import json
import poplib
import shutil
import smtplib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.interop.certificates import Certificates
from tests.interop.postroad_server import PASSWORD, Postroad, running
from tests.interop.processes import until

ADA = "ada@ours.test"


@contextmanager
def imap(server: Postroad) -> Iterator[imaplib.IMAP4]:
    client = imaplib.IMAP4_SSL("localhost", server.ports.imaps, ssl_context=server.tls_context(), timeout=60)
    with client:
        client.login(ADA, PASSWORD)
        yield client


def append(server: Postroad, subject: str) -> None:
    with imap(server) as client:
        octets = f"Subject: {subject}\r\nMessage-ID: <{subject}@ours.test>\r\n\r\nHello.\r\n".encode()
        assert client.append("INBOX", "(\\Flagged $Work)", '"01-Feb-2025 10:00:00 +0000"', octets)[0] == "OK"


def state(server: Postroad) -> tuple[bytes, bytes, list[bytes]]:
    """UIDVALIDITY, UIDNEXT, and each message with its flags and date."""
    with imap(server) as client:
        client.select("INBOX", readonly=True)
        validity, uidnext = (client.response(word)[1][0] for word in ("UIDVALIDITY", "UIDNEXT"))
        messages = client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE RFC822.SIZE)")[1]
        assert isinstance(validity, bytes)
        assert isinstance(uidnext, bytes)
        return validity, uidnext, [m.replace(b" \\Recent", b"") for m in messages if isinstance(m, bytes)]


def uidls(server: Postroad) -> list[bytes]:
    client = poplib.POP3_SSL("localhost", server.ports.pop3s, context=server.tls_context(), timeout=60)
    with closing(client):
        client.user(ADA)
        client.pass_(PASSWORD)
        return [line.split()[1] for line in client.uidl()[1]]


def submit(server: Postroad, to: str) -> None:
    with smtplib.SMTP_SSL("localhost", server.ports.submissions, context=server.tls_context()) as client:
        client.login(ADA, PASSWORD)
        client.sendmail(ADA, [to], "Subject: out\r\n\r\nHello.\r\n")


class Operator:
    """Who makes backups and restores them."""

    def __init__(self, server: Postroad, folder: Path) -> None:
        self._server = server
        self._target = folder / "target"
        self._target.mkdir()
        self._key = folder / "operator.key"
        server.cli("backup", "key", str(self._key))

    def create(self) -> str:
        return str(
            json.loads(self._server.cli("backup", "create", "--json", "--target", str(self._target)))["id"]
        )

    def restore(self, *words: str) -> str:
        place = ("--target", str(self._target), "--key", str(self._key))
        return self._server.cli("backup", "restore", *place, *words)


def test_clients_find_the_server_as_it_was(tmp_path: Path, certificates: Certificates) -> None:
    server = Postroad(tmp_path, certificates)
    with running(server):
        for subject in ("one", "two", "three"):
            append(server, subject)
        submit(server, "lu@client.test")
        operator = Operator(server, tmp_path)
        operator.create()
        validity, uidnext, messages = state(server)
        names = uidls(server)
        append(server, "lost")  # a client has seen this one, and its UID
    shutil.rmtree(tmp_path / "data")
    said = operator.restore()
    assert "1 recipient in the queue held back" in said
    server.start()
    try:
        after = state(server)
        assert (after[0], after[2]) == (validity, messages)
        assert uidls(server) == names
        append(server, "new")
        (new,) = [one for one in state(server)[2] if one not in messages]
        assert int(new.partition(b"UID ")[2].split()[0]) > int(uidnext) + 1000
        (item,) = json.loads(server.cli("queue", "list", "--json"))
        assert "held" in server.cli("queue", "show", item["id"])
        assert "sound" in server.cli("store", "check")
        # And the next backup of the restored server needs no new key.
        operator.create()
    finally:
        server.stop()


def test_mail_comes_back_while_its_owner_is_logged_in(server: Postroad, tmp_path: Path) -> None:
    for subject in ("one", "two", "three"):
        append(server, subject)
    operator = Operator(server, tmp_path)
    first = operator.create()
    with imap(server) as client:
        client.select("INBOX")
        before = client.uid("FETCH", "2", "(FLAGS INTERNALDATE BODY.PEEK[])")[1]
        client.store("1:*", "+FLAGS", "\\Deleted")
        client.expunge()
        operator.create()
        operator.restore("--account", ADA, "--message", "<two@ours.test>", "--in-place", first)
        until(lambda: client.noop() and client.search(None, "ALL")[1] == [b"1"], "the message to be back")
        after = client.uid("FETCH", "4", "(FLAGS INTERNALDATE BODY.PEEK[])")[1]
        assert shown(after) == shown(before)
    # And all that there was at that time, beside what is there now; the second time it is there already.
    into = ("--account", ADA, "--into", "Before", first)
    assert "3 messages of ada@ours.test put back in Before" in operator.restore(*into)
    assert "0 messages of ada@ours.test put back in Before" in operator.restore(*into)
    with imap(server) as client:
        assert client.select("Before") == ("OK", [b"3"])


def shown(fetched: list[object]) -> tuple[bytes, bytes]:
    """What a FETCH says of one message, but for its UID."""
    (head, body), *_ = (one for one in fetched if isinstance(one, tuple))
    return head.replace(b" \\Recent", b"").partition(b"FLAGS")[2], body
