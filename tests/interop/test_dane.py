"""DANE with Postfix on the other side, both ways: a signed zone, a resolver that proves it (RFC 7672)."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.interop.addresses import loopback_address
from tests.interop.certificates import Certificates
from tests.interop.conftest import Internet
from tests.interop.messages import arrived, hand_to, submit
from tests.interop.neighbours import started
from tests.interop.postfix_server import Postfix
from tests.interop.postroad_server import Postroad, running
from tests.interop.processes import until
from tests.interop.signed_dns import SignedDns


def digest(certificate: Path) -> str:
    """What a record 3 1 1 says of it: the SHA-256 of its public key (RFC 6698 §2.1)."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Internet]:
    """Each of them has a second name, whose record is for another key."""
    tmp_path = tmp_path_factory.mktemp("dane")
    resolver, exchanger = loopback_address(53), loopback_address(25)
    dns = SignedDns(tmp_path, resolver)
    theirs = Postfix(certificates, resolver)
    theirs.more = "smtp_tls_security_level = dane\nsmtp_dns_support_level = dnssec\n"
    good, bad = digest(certificates.certificate), "ab" * 32
    zone = ""
    for name, host, address, key in (
        ("ours", "mx.ours", exchanger, good),
        ("theirs", "mx.theirs", theirs.address, good),
        ("wrong", "mx.wrong", exchanger, bad),
        ("backup.theirs", "mx2.theirs", theirs.address, bad),
    ):
        zone += (
            f"{name} 60 IN MX 10 {host}\n{host} 60 IN A {address}\n_25._tcp.{host} 60 IN TLSA 3 1 1 {key}\n"
        )
    dns.signed("test.", zone)
    ours = Postroad(tmp_path, certificates, resolver=resolver, exchanger=exchanger, workers=1)
    with started(dns, theirs), running(ours) as postroad:
        yield Internet(postroad, theirs)


def test_postfix_verifies_us(internet: Internet) -> None:
    hand_to(internet.theirs.address, "proved", "ada@ours.test")
    assert arrived(internet.ours, "Subject: proved")
    assert "Verified TLS connection established to mx.ours.test" in internet.theirs.log()


def test_we_verify_postfix(internet: Internet) -> None:
    submit(internet.ours, "proved", "carl@theirs.test")
    assert internet.theirs.message("carl", "Subject: proved")
    assert "DANE" in until(
        lambda: _told(internet, "carl@theirs.test", "queued as"), "what vouched for Postfix"
    )


def test_postfix_cannot_promise_tls_for_the_rest_of_the_way(internet: Internet) -> None:
    submit(internet.ours, "for its eyes alone", "dora@theirs.test", mail=["REQUIRETLS"])
    bounce = arrived(internet.ours, "Final-Recipient: rfc822; dora@theirs.test")
    assert "Status: 5.7.30" in bounce  # RFC 8689 §4.2.1
    assert internet.theirs.messages("dora") == []


def test_nothing_goes_to_a_server_with_another_key(internet: Internet) -> None:
    ours, theirs = internet.ours, internet.theirs
    hand_to(theirs.address, "to nobody", "ada@wrong.test")
    submit(ours, "to nobody", "eve@backup.theirs.test")
    until(lambda: "no matching DANE TLSA records" in theirs.log(), "Postfix to balk")
    until(lambda: "Server certificate not verified" in theirs.queue(), "Postfix to keep it")
    assert "certificate" in until(
        lambda: _told(internet, "eve@backup.theirs.test", "certificate"), "us to balk"
    )
    assert theirs.messages("eve") == []


def _told(internet: Internet, recipient: str, containing: str) -> str | None:
    told = internet.ours.cli("trace", recipient)
    return told if containing in told else None
