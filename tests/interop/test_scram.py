"""SCRAM with the libraries that mail clients have: GNU SASL (msmtp, mutt, gsasl) and Cyrus SASL (mbsync)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop import test_mutt
from tests.interop.certificates import Certificates
from tests.interop.messages import arrived, receive
from tests.interop.postroad_server import HOST, PASSWORD, Postroad, running
from tests.interop.processes import program, run
from tests.interop.test_msmtp import msmtp

ADA = "ada@ours.test"
SETTINGS = '\n[auth]\nscram = "on"\n'


@pytest.fixture
def scram_server(tmp_path: Path, certificates: Certificates) -> Iterator[Postroad]:
    """A server that offers SCRAM; ada has set her password anew and so has keys."""
    with running(Postroad(tmp_path, certificates, more=SETTINGS)) as postroad:
        postroad.cli("account", "passwd", ADA, stdin=f"{PASSWORD}\n")
        yield postroad


def logged_in_by(server: Postroad, mechanism: str) -> bool:
    """Whether the log says that somebody did."""
    return re.search(rf"login.accepted.* mechanism={mechanism}( |$)", server.log(), re.MULTILINE) is not None


@pytest.mark.parametrize("mechanism", ["scram-sha-256", "scram-sha-1"])
def test_msmtp_submits(scram_server: Postroad, tmp_path: Path, mechanism: str) -> None:
    text = f"From: {ADA}\nTo: bob@ours.test\nSubject: by {mechanism}\n\nHello.\n"

    msmtp(scram_server, tmp_path, "-a", "tls", "bob@ours.test", auth=mechanism, stdin=text)

    assert arrived(scram_server, f"Subject: by {mechanism}", user="bob@ours.test")
    assert logged_in_by(scram_server, mechanism.upper())


def test_msmtp_with_an_app_password(scram_server: Postroad, tmp_path: Path) -> None:
    secret = scram_server.cli("account", "app-password", "add", ADA, "laptop", "--for", "smtp").split()[0]
    scram_server.cli("account", "app-password", "only", ADA)
    text = f"From: {ADA}\nTo: bob@ours.test\nSubject: by laptop\n\nHello.\n"

    msmtp(
        scram_server,
        tmp_path,
        "-a",
        "tls",
        "bob@ours.test",
        auth="scram-sha-256",
        password=secret,
        stdin=text,
    )

    assert "Subject: by laptop" in arrived(scram_server, "Subject: by laptop", user="bob@ours.test")
    assert "app_password=laptop" in scram_server.log()
    assert secret not in scram_server.log()


def test_mutt_reads(scram_server: Postroad, tmp_path: Path) -> None:
    muttrc = test_mutt.settings(scram_server, tmp_path, "tls")
    muttrc.write_text(muttrc.read_text() + "set imap_authenticators=scram-sha-256\n")
    receive(scram_server, "Subject: hello")

    test_mutt.mutt(muttrc, "<quit>")

    assert logged_in_by(scram_server, "SCRAM-SHA-256")


def test_mbsync_reads(scram_server: Postroad, tmp_path: Path) -> None:
    receive(scram_server, "Subject: hello\r\n\r\nHello.\r\n")
    settings = tmp_path / "mbsyncrc"
    settings.write_text(
        f"IMAPStore far\nHost {HOST}\nPort {scram_server.ports.imaps}\nUser {ADA}\n"
        f'Pass "{PASSWORD}"\nSSLType IMAPS\nCertificateFile {scram_server.certificates.authority}\n'
        f"AuthMechs SCRAM-SHA-256\n\nMaildirStore near\nInbox {tmp_path}/inbox\n\n"
        "Channel all\nFar :far:\nNear :near:\nCreate Near\nSyncState *\n"
    )

    run(program("mbsync"), "-c", settings, "all")

    assert len([*(tmp_path / "inbox").glob("new/*"), *(tmp_path / "inbox").glob("cur/*")]) == 1
    assert logged_in_by(scram_server, "SCRAM-SHA-256")


@pytest.mark.parametrize(
    ("mechanism", "priority"),
    [("SCRAM-SHA-256-PLUS", "NORMAL:-VERS-TLS1.3"), ("SCRAM-SHA-256", "NORMAL")],
)
def test_gsasl_binds_the_log_in_where_it_can(scram_server: Postroad, mechanism: str, priority: str) -> None:
    """By tls-unique in TLS 1.2; in TLS 1.3 it is offered no -PLUS, for it would choose tls-exporter.

    Its version 2.2.0 gives up by itself in TLS 1.3, unless it is told to forget about binding. With
    SMTP it says STARTTLS before EHLO, and so does not get far anywhere.
    """
    unbound = [] if mechanism.endswith("-PLUS") else ["--no-cb"]
    run(
        *(program("gsasl"), *unbound, "--imap", f"--connect={HOST}:{scram_server.ports.imap}", "--starttls"),
        *(f"--authentication-id={ADA}", f"--password={PASSWORD}", f"--priority={priority}"),
        f"--x509-ca-file={scram_server.certificates.authority}",
    )

    assert logged_in_by(scram_server, mechanism)
