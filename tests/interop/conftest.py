"""Fixtures of the interop tests: a real postroad, and real servers around it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.addresses import loopback_address
from tests.interop.certificates import Certificates, make_certificates
from tests.interop.dns_server import DnsServer
from tests.interop.neighbours import started
from tests.interop.postfix_server import Postfix
from tests.interop.postroad_server import HOST, Postroad, running


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One certificate that is right for everything here."""
    directory = tmp_path_factory.mktemp("certificates")
    names = (
        "mx.ours.test",
        "mta-sts.ours.test",
        "mta-sts.wrong.test",
        "mx.theirs.test",
        "mx.exim.test",
        "mx.opensmtpd.test",
    )
    return make_certificates(directory, HOST, "127.0.0.1", *names)


@pytest.fixture
def server(tmp_path: Path, certificates: Certificates) -> Iterator[Postroad]:
    """postroad with two workers, the domain ours.test and the accounts ada@ and bob@.

    Its resolver is an address where nobody answers: nothing leaves the machine.
    """
    with running(Postroad(tmp_path, certificates)) as postroad:
        yield postroad


@dataclass(frozen=True, slots=True)
class Internet:
    """postroad serves ours.test, Postfix serves theirs.test, and both ask the same DNS."""

    ours: Postroad
    theirs: Postfix


@pytest.fixture
def internet(tmp_path: Path, certificates: Certificates) -> Iterator[Internet]:
    """Two mail servers that find one another by MX records."""
    dns = DnsServer(tmp_path)
    exchanger = loopback_address(25)
    theirs = Postfix(certificates, dns.address)
    ours = Postroad(tmp_path, certificates, resolver=dns.address, exchanger=exchanger)
    dns.add("ours MX 10 mx.ours", f"mx.ours A {exchanger}")
    dns.add("theirs MX 10 mx.theirs", f"mx.theirs A {theirs.address}")
    # Where nobody listens comes first, and a name without MX is its own exchanger.
    dns.add("backup.theirs MX 10 dead.theirs", "backup.theirs MX 20 mx.theirs", "dead.theirs A 127.0.0.66")
    dns.add(f"implicit.theirs A {theirs.address}", "silent.theirs MX 0 .")
    with started(dns, theirs), running(ours) as postroad:
        yield Internet(postroad, theirs)


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Postroad]:
    """The same for all tests of a module, which must not mind one another."""
    with running(Postroad(tmp_path_factory.mktemp("server"), certificates)) as postroad:
        yield postroad
