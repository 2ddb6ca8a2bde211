"""curl speaks SMTP, IMAP and POP3, too."""

from pathlib import Path

import pytest

from tests.interop.messages import arrived, imap, message, receive, texts
from tests.interop.postroad_server import HOST, PASSWORD, Postroad
from tests.interop.processes import program, run


def curl(server: Postroad, *words: str | Path) -> str:
    """As ada, over TLS only, with the certificate checked."""
    common = ["--silent", "--show-error", "--ssl-reqd", "--cacert", str(server.certificates.authority)]
    return run(program("curl"), *common, "--user", f"ada@ours.test:{PASSWORD}", *words)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_curl_submits(server: Postroad, tmp_path: Path, scheme: str) -> None:
    port = server.ports.submission if scheme == "smtp" else server.ports.submissions
    mail = tmp_path / "mail"
    mail.write_text(message(f"by {scheme}", sender="ada@ours.test"))
    envelope = ["--mail-from", "ada@ours.test", "--mail-rcpt", "bob@ours.test"]

    curl(server, f"{scheme}://{HOST}:{port}/laptop.test", *envelope, "--upload-file", mail)

    assert arrived(server, f"Subject: by {scheme}", user="bob@ours.test")


@pytest.mark.parametrize("scheme", ["imap", "imaps"])
def test_curl_reads_over_imap(server: Postroad, scheme: str) -> None:
    url = f"{scheme}://{HOST}:{server.ports.imap if scheme == 'imap' else server.ports.imaps}"
    receive(server, message("first", "One.\r\n"))
    receive(server, message("second", "Two.\r\n"))

    assert "* SEARCH 2" in curl(server, f"{url}/INBOX?SUBJECT%20second")
    assert curl(server, f"{url}/INBOX;MAILINDEX=1").endswith("\r\nOne.\r\n")
    assert curl(server, f"{url}/INBOX;MAILINDEX=2;SECTION=TEXT") == "Two.\r\n"
    assert "Subject: second" in curl(server, f"{url}/INBOX;UID=2;SECTION=HEADER.FIELDS%20(SUBJECT)")
    listing = curl(server, f"{url}/")
    for mailbox in ("INBOX", "Sent", "Drafts", "Junk", "Trash", "Archive"):
        assert mailbox in listing


def test_curl_changes_over_imap(server: Postroad, tmp_path: Path) -> None:
    url = f"imaps://{HOST}:{server.ports.imaps}"
    mail = tmp_path / "mail"
    mail.write_text(message("kept"))

    curl(server, f"{url}/", "--request", "CREATE Receipts")
    curl(server, f"{url}/Receipts", "--upload-file", mail)
    curl(server, f"{url}/Receipts", "--request", "STORE 1 +FLAGS (\\Flagged)")

    assert len(texts(server, "Receipts")) == 1
    with imap(server) as session:
        session.select("Receipts")
        assert session.search(None, "FLAGGED") == ("OK", [b"1"])


@pytest.mark.parametrize("scheme", ["pop3", "pop3s"])
def test_curl_reads_and_deletes_over_pop3(server: Postroad, scheme: str) -> None:
    url = f"{scheme}://{HOST}:{server.ports.pop3 if scheme == 'pop3' else server.ports.pop3s}"
    receive(server, message("first", "One.\r\n"))
    receive(server, message("second", ".\r\n..Two.\r\n"))

    assert [line.split()[0] for line in curl(server, f"{url}/").splitlines()] == ["1", "2"]
    assert curl(server, f"{url}/2").endswith("\r\n.\r\n..Two.\r\n")
    assert len(curl(server, f"{url}/", "--request", "UIDL").split()) == 4
    curl(server, f"{url}/1", "--request", "DELE", "--head")

    assert [("second" in text) for text in texts(server)] == [True]
