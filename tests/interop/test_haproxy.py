"""HAProxy in front of SMTP and IMAP, which says by PROXY v2 whose connection it is."""

import imaplib
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from tests.interop.addresses import free_ports
from tests.interop.certificates import Certificates
from tests.interop.messages import arrived, message
from tests.interop.postroad_server import HOST, PASSWORD, Postroad, running
from tests.interop.processes import Daemon, answers, program, until

# Its check speaks PROXY too, and says LOCAL.
_CONFIG: Final = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen smtp
    bind 127.0.0.1:{smtp}
    option smtpchk EHLO check.test
    server ours 127.0.0.1:{our_smtp} send-proxy-v2 check check-send-proxy inter 100ms
listen imaps
    bind 127.0.0.1:{imaps}
    server ours 127.0.0.1:{our_imaps} send-proxy-v2
listen old
    bind 127.0.0.1:{old}
    server ours 127.0.0.1:{our_smtp} send-proxy
"""
_LISTENERS: Final = """
[[listener]]
role = "smtp"
address = "127.0.0.1:{our_smtp}"
proxy_from = ["127.0.0.1"]

[[listener]]
role = "imap"
address = "127.0.0.1:{our_imaps}"
tls = "implicit"
proxy_from = ["127.0.0.1"]
"""


@dataclass(frozen=True, slots=True)
class Behind:
    """postroad, and the ports of the proxy in front of it."""

    ours: Postroad
    smtp: int
    imaps: int
    old: int


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Behind]:
    tmp_path = tmp_path_factory.mktemp("haproxy")
    names = ("smtp", "imaps", "old", "our_smtp", "our_imaps")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    config = tmp_path / "haproxy.cfg"
    config.write_text(_CONFIG.format(**ports))
    with running(Postroad(tmp_path, certificates, more=_LISTENERS.format(**ports))) as ours:
        proxy = Daemon([program("haproxy"), "-db", "-f", str(config)], tmp_path / "haproxy.log")
        try:
            proxy.until(lambda: answers("127.0.0.1", ports["smtp"]), "HAProxy to answer")
            yield Behind(ours, ports["smtp"], ports["imaps"], ports["old"])
        finally:
            proxy.stop()


def deliver(port: int, subject: str, source: str) -> None:
    with smtplib.SMTP(HOST, port, local_hostname="eve.test", source_address=(source, 0)) as session:
        session.sendmail("eve@theirs.test", ["ada@ours.test"], message(subject, "Hello.\r\n").encode())


def test_mail_shows_whom_it_came_from(behind: Behind) -> None:
    deliver(behind.smtp, "by version 2", "127.0.0.71")
    deliver(behind.old, "by version 1", "127.0.0.72")
    assert "[127.0.0.71]" in arrived(behind.ours, "Subject: by version 2")
    assert "[127.0.0.72]" in arrived(behind.ours, "Subject: by version 1")


def test_imap_works_in_tls_behind_the_header(behind: Behind) -> None:
    context = behind.ours.tls_context()
    with imaplib.IMAP4_SSL(HOST, behind.imaps, ssl_context=context) as client:
        assert client.login("ada@ours.test", PASSWORD)[0] == "OK"
        assert client.select("INBOX")[0] == "OK"


def test_its_health_checks_succeed(behind: Behind) -> None:
    until(lambda: behind.ours.log().count("helo=check.test") >= 3, "checks to come again and again")
    assert "no_introduction" not in behind.ours.log()
