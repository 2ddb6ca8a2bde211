"""From `domain dns` over a real name server to mail that is signed, with nothing but the command line."""

import smtplib
from contextlib import ExitStack
from pathlib import Path

from tests.interop.addresses import loopback_address
from tests.interop.certificates import Certificates
from tests.interop.dns_server import DnsServer
from tests.interop.messages import arrived
from tests.interop.postroad_server import HOST, PASSWORD, Postroad, running

MESSAGE = "From: ada@ours.test\r\nTo: bob@ours.test\r\nSubject: signed\r\n\r\nHello.\r\n"


def test_what_is_published_is_found_and_used(tmp_path: Path, certificates: Certificates) -> None:
    dns = DnsServer(tmp_path)
    server = Postroad(tmp_path, certificates, resolver=dns.address)
    with ExitStack() as cleanup:
        cleanup.enter_context(running(server))
        zone = server.cli("domain", "dns", "ours.test", "--format", "zone")
        dns.add(f"mx.ours A {loopback_address(25)}", *zone.splitlines())
        dns.start()
        cleanup.callback(dns.stop)
        checked = server.cli("domain", "dns", "ours.test", "--check")
        assert "What the domain needs is there." in checked
        assert "✕" not in checked
        assert server.cli("dkim", "look", "ours.test").count("signed with it from now on") == 2
        with smtplib.SMTP_SSL(HOST, server.ports.submissions, context=server.tls_context()) as client:
            client.login("ada@ours.test", PASSWORD)
            client.sendmail("ada@ours.test", ["bob@ours.test"], MESSAGE)
        message = tmp_path / "message.eml"
        message.write_text(arrived(server, "Subject: signed", user="bob@ours.test"), newline="")
        explained = server.cli("dkim", "check", str(message))
        assert explained.count("✓ The signature of ours.test holds: the message is as it was signed.") == 2
