"""Mail of a domain with p=reject that an alias sends on: what SPF cannot carry, DKIM or ARC does.

Exim, postroad with the alias, and another postroad that refuses what fails DMARC.
"""

import re
import smtplib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.interop.addresses import loopback_address
from tests.interop.certificates import Certificates
from tests.interop.dns_server import DnsServer
from tests.interop.exim_server import Exim
from tests.interop.messages import arrived, hand_to
from tests.interop.postroad_server import Postroad, running
from tests.unit.mailauth.dkim.making import record, rsa


@dataclass(frozen=True, slots=True)
class Way:
    """From exim.test by aliases of ours.test and unknown.test to other.test, which trusts ours.test."""

    sender: Exim
    ours: Postroad
    other: Postroad


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Way]:
    folders = [tmp_path_factory.mktemp(name) for name in ("dns", "ours", "other")]
    dns = DnsServer(folders[0])
    first, second = loopback_address(25), loopback_address(25)
    exim = Exim(certificates, dns.address)
    key = rsa().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    ours = Postroad(
        folders[1], certificates, resolver=dns.address, exchanger=first, workers=1, sender_auth=""
    )
    other = Postroad(
        folders[2],
        certificates,
        resolver=dns.address,
        exchanger=second,
        workers=1,
        hostname="mx.other.test",
        sender_auth='trusted_sealers = ["ours.test"]',
    )
    dns.add(f"mx.ours A {first}")
    dns.add("other MX 10 mx.other", f"mx.other A {second}")
    for name in ("exim", "unsigned.exim"):
        dns.add(f"{name} MX 10 mx.exim")
        dns.add_text(name, f"v=spf1 ip4:{exim.address} -all")
        dns.add_text(f"_dmarc.{name}", "v=DMARC1; p=reject; adkim=s; aspf=s")
    dns.add(f"mx.exim A {exim.address}")
    dns.add_text("sel._domainkey.exim", record(rsa()).decode())
    with ExitStack() as cleanup:
        cleanup.callback(exim.remove)
        cleanup.enter_context(running(ours))
        cleanup.enter_context(running(other))
        ours.cli("domain", "add", "unknown.test")
        for domain in ("ours.test", "unknown.test"):
            zone = ours.cli("domain", "dns", domain, "--format", "zone")
            # Who sends on comes from 127.0.0.1 here.
            dns.add(zone.replace("v=spf1 mx", "v=spf1 mx ip4:127.0.0.1"))
            ours.cli("alias", "add", f"eve@{domain}", "eve@other.test")
        other.cli("domain", "add", "other.test")
        other.add_accounts("eve@other.test")
        dns.start()
        cleanup.callback(dns.stop)
        exim.start(key)
        cleanup.callback(exim.stop)
        ours.cli("dkim", "look")
        yield Way(exim, ours, other)


def verdicts(text: str) -> str:
    """The Authentication-Results on top, on one line."""
    return " ".join(text[text.index("Authentication-Results:") :].split("\r\nReceived:")[0].split())


def test_a_signature_survives_an_alias(way: Way) -> None:
    hand_to(way.sender.address, "signed", "eve@ours.test", sender="carl@exim.test")
    got = arrived(way.other, "Subject: signed", user="eve@other.test")
    assert re.match(r"Return-Path: <SRS0=[^ ]+=exim\.test=carl@ours\.test>\r\n", got), got[:200]
    said = verdicts(got)
    assert re.search(r"spf=pass \([^)]*\) smtp\.mailfrom=SRS0=\S+@ours\.test", said)
    assert re.search(r"dkim=pass \([^)]*\) header\.d=exim\.test", said)
    assert "arc=pass" in said
    assert "dmarc=pass (p=reject by exim.test" in said


def test_without_a_signature_the_seal_of_a_trusted_forwarder_counts(way: Way) -> None:
    hand_to(way.sender.address, "sealed", "eve@ours.test", sender="carl@unsigned.exim.test")
    got = arrived(way.other, "Subject: sealed", user="eve@other.test")
    said = verdicts(got)
    assert "dmarc=fail (p=reject by unsigned.exim.test" in said
    assert "arc=pass" in said
    assert re.search(r"ARC-Authentication-Results: i=1; mx\.ours\.test;\s+spf=pass", got)


def test_nobody_believes_the_seal_of_just_anybody(way: Way) -> None:
    hand_to(way.sender.address, "unbelievable", "eve@unknown.test", sender="carl@unsigned.exim.test")
    bounce = way.sender.message("carl", "Subject: unbelievable")
    assert "Final-Recipient: rfc822; eve@other.test" in bounce
    assert "550 5.7.1" in bounce
    assert "asks to refuse" in bounce


def test_a_bounce_of_what_was_sent_on_finds_its_way_back(way: Way) -> None:
    hand_to(way.sender.address, "to and fro", "eve@ours.test", sender="dora@exim.test")
    got = arrived(way.other, "Subject: to and fro", user="eve@other.test")
    rewritten = re.match(r"Return-Path: <([^>]+)>", got)
    assert rewritten is not None
    text = "From: postmaster@other.test\r\nSubject: it came back\r\n\r\nSorry.\r\n"
    with smtplib.SMTP("localhost", way.ours.ports.smtp, local_hostname="mx.other.test") as session:
        session.sendmail("", [rewritten[1]], text)
    assert way.sender.message("dora", "Subject: it came back").startswith("Return-path: <>")
