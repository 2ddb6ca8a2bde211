"""Postfix goes by our MTA-STS policy: what is printed is put on a real HTTPS server (RFC 8461)."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.interop.addresses import free_ports, loopback_address
from tests.interop.certificates import Certificates
from tests.interop.conftest import Internet
from tests.interop.dns_server import DnsServer
from tests.interop.messages import arrived, hand_to
from tests.interop.postfix_server import Postfix
from tests.interop.postroad_server import Postroad, running
from tests.interop.processes import Daemon, answers, as_root, program, until
from tests.interop.unpacked import seeing

_SITES: Final = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend policies
    bind {address}:443 ssl crt {folder}/site.pem
    http-request deny unless {{ path /.well-known/mta-sts.txt }}
    http-request return content-type text/plain file {folder}/wrong.txt if {{ hdr(host) mta-sts.wrong.test }}
    http-request return content-type text/plain file {folder}/ours.txt
"""
# A policy is printed in mode testing: how an operator begins.
_RESOLVER: Final = """
host: 127.0.0.1
port: {port}
cache: {{type: internal, options: {{cache_size: 10}}}}
default_zone: {{strict_testing: true, timeout: 30}}
"""
_POSTFIX: Final = """
smtp_tls_policy_maps = socketmap:inet:127.0.0.1:{port}:postfix
smtp_tls_CAfile = {authority}
"""


def policy(ours: Postroad) -> str:
    """The text that `postroad domain dns` prints for the site."""
    _, _, printed = ours.cli("domain", "dns", "ours.test").partition("version: STSv1")
    return "version: STSv1" + printed.partition("\n\n")[0] + "\n"


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Internet]:
    """The policy of wrong.test names another host than the one that it has."""
    folder = tmp_path_factory.mktemp("mta_sts")
    dns = DnsServer(folder)
    exchanger, site = loopback_address(25), loopback_address(443)
    (port,) = free_ports(1)
    theirs = Postfix(certificates, dns.address)
    theirs.more = _POSTFIX.format(port=port, authority=certificates.authority)
    ours = Postroad(folder, certificates, resolver=dns.address, exchanger=exchanger, workers=1)
    dns.add(f"mx.ours A {exchanger}", f"mta-sts.ours A {site}", f"mta-sts.wrong A {site}")
    dns.add("wrong MX 10 mx.ours")
    dns.add_text("_mta-sts.wrong", "v=STSv1; id=1")
    with ExitStack() as cleanup:
        cleanup.callback(theirs.remove)
        cleanup.enter_context(running(ours))
        dns.add(ours.cli("domain", "dns", "ours.test", "--format", "zone"))
        dns.start()
        cleanup.callback(dns.stop)
        text = policy(ours)
        (folder / "ours.txt").write_text(text)
        (folder / "wrong.txt").write_text(text.replace("mx.ours.test", "mx.elsewhere.test"))
        for daemon in (
            _sites(folder, site, certificates),
            _resolver(folder, port, dns.address, certificates),
        ):
            cleanup.callback(daemon.stop, as_root("kill", str(daemon.pid)))
        until(lambda: answers(site, 443) and answers("127.0.0.1", port), "site and resolver to answer")
        theirs.start()
        cleanup.callback(theirs.stop)
        yield Internet(ours, theirs)


def _sites(folder: Path, address: str, certificates: Certificates) -> Daemon:
    pem = certificates.certificate.read_text() + certificates.key.read_text()
    (folder / "site.pem").write_text(pem)
    (folder / "sites.cfg").write_text(_SITES.format(address=address, folder=folder))
    command = as_root(program("haproxy"), "-db", "-f", str(folder / "sites.cfg"))
    return Daemon(command, folder / "sites.log")


def _resolver(folder: Path, port: int, dns: str, certificates: Certificates) -> Daemon:
    (folder / "resolv.conf").write_text(f"nameserver {dns}\n")
    (folder / "resolver.yml").write_text(_RESOLVER.format(port=port))
    trusting = f"SSL_CERT_FILE={certificates.authority}"
    command = (program("mta-sts-daemon"), "-c", str(folder / "resolver.yml"))
    prefix = seeing({"/etc/resolv.conf": folder / "resolv.conf"})
    return Daemon(as_root("env", trusting, *prefix, *command), folder / "resolver.log")


def test_postfix_verifies_us_by_our_policy(internet: Internet) -> None:
    hand_to(internet.theirs.address, "by the book", "ada@ours.test")
    assert arrived(internet.ours, "Subject: by the book")
    assert "Verified TLS connection established to mx.ours.test" in internet.theirs.log()


def test_a_host_that_the_policy_does_not_name_gets_nothing(internet: Internet) -> None:
    hand_to(internet.theirs.address, "by another book", "ada@wrong.test")
    until(lambda: "Server certificate not verified" in internet.theirs.queue(), "Postfix to keep it")
