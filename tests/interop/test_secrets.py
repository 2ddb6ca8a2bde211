"""No password and no key is anywhere but where it has to be (SAFETY C33)."""

import base64
import imaplib
import poplib
import re
import smtplib
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from tests.interop.certificates import make_certificates
from tests.interop.postroad_server import HOST, PASSWORD, Postroad, running

RIGHT: Final = "Zaunkönig-9137-right"
WRONG: Final = "Zaunkönig-9137-wrong"
MARK: Final = "Zaunkönig-9137"
USER: Final = "eve@ours.test"


@pytest.fixture(scope="module")
def talked_to(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postroad]:
    """A server that logs all it can, after log-ins of every kind that went well, wrong and astray."""
    directory = tmp_path_factory.mktemp("secrets")
    certificates = make_certificates(directory, HOST, "127.0.0.1", "mx.ours.test")
    server = Postroad(directory, certificates, more='\n[log]\nlevel = "debug"\n')
    with running(server):
        server.cli("account", "add", USER, stdin=f"{RIGHT}\n")
        for password in (RIGHT, WRONG):
            _log_in_everywhere(server, password)
        _say_it_in_the_wrong_place(server)
        server.cli("account", "passwd", USER, stdin=f"{RIGHT}2\n")
        yield server


def _log_in_everywhere(server: Postroad, password: str) -> None:
    context, ports = server.tls_context(), server.ports
    plain = base64.b64encode(f"\0{USER}\0{password}".encode()).decode()
    with smtplib.SMTP_SSL(HOST, ports.submissions, context=context) as smtp:
        smtp.ehlo()
        smtp.docmd("AUTH", f"PLAIN {plain}")
    with smtplib.SMTP_SSL(HOST, ports.submissions, context=context) as smtp:
        smtp.ehlo()
        smtp.docmd("AUTH", "LOGIN")
        smtp.docmd(base64.b64encode(USER.encode()).decode())
        smtp.docmd(base64.b64encode(password.encode()).decode())
    with imaplib.IMAP4_SSL(HOST, ports.imaps, ssl_context=context) as imap, suppress(imaplib.IMAP4.error):
        imap.authenticate("PLAIN", lambda _: f"\0{USER}\0{password}".encode())
    pop = poplib.POP3_SSL(HOST, ports.pop3s, context=context)
    pop.encoding = "utf-8"
    with suppress(poplib.error_proto):
        pop.user(USER)
        pop.pass_(password)
    pop.quit()


def _say_it_in_the_wrong_place(server: Postroad) -> None:
    """In clear, as a command, as an address: what people and their programs do."""
    for port, lines in (
        (server.ports.imap, f'a LOGIN {USER} "{WRONG}"\r\nb {WRONG}\r\nc LOGOUT\r\n'),
        (server.ports.pop3, f"USER {USER}\r\nPASS {WRONG}\r\n{WRONG}\r\nQUIT\r\n"),
        (server.ports.submission, f"EHLO x.test\r\nAUTH PLAIN {WRONG}\r\n{WRONG}\r\nQUIT\r\n"),
    ):
        with socket.create_connection((HOST, port)) as client:
            client.recv(1000)
            client.sendall(lines.encode())
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass


def written_forms(server: Postroad) -> list[bytes]:
    """The passwords as they may show: as they are, in base64 at each offset, escaped, and the key."""
    mark = MARK.encode()
    forms = [mark, MARK.encode("utf-16-le"), mark.hex().encode(), repr(MARK).strip("'").encode()]
    for lead in range(3):
        coded = base64.b64encode(b"." * lead + mark)
        # The digits that the mark alone decides.
        forms.append(coded[-(-lead * 8 // 6) : (lead + len(mark)) * 8 // 6])
    body = re.sub(r"-----[A-Z ]+-----|\s", "", server.certificates.key.read_text())
    return [*forms, body[20:60].encode(), PASSWORD.encode()]


def holds(octets: bytes, forms: list[bytes]) -> list[bytes]:
    return [form for form in forms if form in octets]


def test_the_forms_would_be_seen(talked_to: Postroad) -> None:
    forms = written_forms(talked_to)
    assert all(len(form) >= 5 for form in forms)
    assert holds(b"x" + base64.b64encode(f"\0{USER}\0{RIGHT}".encode()), forms)
    assert holds(base64.b64encode(RIGHT.encode()), forms)
    assert holds(talked_to.certificates.key.read_bytes().replace(b"\n", b""), forms)


def test_not_in_the_data_directory(talked_to: Postroad) -> None:
    forms = written_forms(talked_to)
    files = [path for path in (talked_to.directory / "data").rglob("*") if path.is_file()]
    assert len(files) > 3
    assert {path.name: found for path in files if (found := holds(path.read_bytes(), forms))} == {}
    index = (talked_to.directory / "data" / "index.db").read_bytes()
    wal = talked_to.directory / "data" / "index.db-wal"
    assert b"$argon2id$" in index + (wal.read_bytes() if wal.exists() else b"")


def test_not_in_the_log(talked_to: Postroad) -> None:
    assert "login.failed" in talked_to.log()
    assert holds(talked_to.log().encode(), written_forms(talked_to)) == []


def test_not_in_what_the_processes_show(talked_to: Postroad) -> None:
    forms = written_forms(talked_to)
    for pid in (talked_to.pid, *talked_to.workers()):
        for file in ("cmdline", "environ", "comm"):
            assert holds(Path(f"/proc/{pid}/{file}").read_bytes(), forms) == []


def test_not_in_what_commands_print(talked_to: Postroad) -> None:
    forms = written_forms(talked_to)
    for words in (
        ("account", "list"),
        ("account", "show", USER),
        ("config", "show"),
        ("status",),
    ):
        assert holds(talked_to.cli(*words).encode(), forms) == []


def test_what_is_secret_is_for_the_server_alone(talked_to: Postroad) -> None:
    data = talked_to.directory / "data"
    loose = [
        path for path in (data, *data.rglob("*")) if path.stat().st_mode & 0o077 and not path.is_socket()
    ]
    inside_private = data.stat().st_mode & 0o077 == 0
    assert inside_private or not loose, loose
