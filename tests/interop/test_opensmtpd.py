"""OpenSMTPD on the other side, both ways: a server without PIPELINING, CHUNKING and SMTPUTF8."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.interop.addresses import loopback_address
from tests.interop.certificates import Certificates
from tests.interop.dns_server import DnsServer
from tests.interop.messages import arrived, hand_to, submit
from tests.interop.neighbours import started
from tests.interop.opensmtpd_server import OpenSmtpd
from tests.interop.postroad_server import Postroad, running

BODY = "Grüße.\r\n.\r\n..\r\n" + "x" * 990 + "\r\nEnd.\r\n"


@dataclass(frozen=True, slots=True)
class Pair:
    """postroad serves ours.test, OpenSMTPD serves opensmtpd.test."""

    ours: Postroad
    theirs: OpenSmtpd


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Pair]:
    tmp_path = tmp_path_factory.mktemp("opensmtpd")
    dns = DnsServer(tmp_path)
    exchanger = loopback_address(25)
    theirs = OpenSmtpd(certificates, dns.address)
    dns.add("ours MX 10 mx.ours", f"mx.ours A {exchanger}")
    dns.add("opensmtpd MX 10 mx.opensmtpd", f"mx.opensmtpd A {theirs.address}")
    ours = Postroad(tmp_path, certificates, resolver=dns.address, exchanger=exchanger, workers=1)
    with started(dns, theirs), running(ours) as postroad:
        yield Pair(postroad, theirs)


def test_postroad_delivers_in_clear_where_tls_fails(pair: Pair) -> None:
    """Debian's 6.8.0p2 offers STARTTLS and cannot sign with its key since OpenSSL 3: RFC 7435."""
    submit(pair.ours, "out", "carl@opensmtpd.test", "dora@opensmtpd.test", body=BODY)
    for user in ("carl", "dora"):
        got = pair.theirs.message(user, "Subject: out")
        assert got.startswith("Return-Path: <ada@ours.test>")
        assert got.endswith(BODY.replace("\r\n", "\n"))
    assert "SSL_accept: error" in pair.theirs.log()
    told = pair.ours.cli("trace", "carl@opensmtpd.test")
    assert "mx.opensmtpd.test" in told
    assert "TLS" in told


def test_opensmtpd_delivers_to_postroad_over_tls(pair: Pair) -> None:
    people = ("ada@ours.test", "bob@ours.test")
    hand_to(pair.theirs.address, "in", *people, body=BODY, sender="carl@opensmtpd.test")
    for user in people:
        got = arrived(pair.ours, "Subject: in", user=user)
        assert got.startswith(f"Return-Path: <carl@opensmtpd.test>\r\nDelivered-To: {user}\r\n")
        assert "with ESMTPS (TLSv1.3" in got
        assert got.endswith("\r\n\r\n" + BODY)
    assert 'server-cert-check result="success"' in pair.theirs.log()


def test_each_tells_its_user_whom_the_other_does_not_know(pair: Pair) -> None:
    hand_to(pair.theirs.address, "lost", "noone@ours.test", sender="dora@opensmtpd.test")
    assert "550 5.1.1" in pair.theirs.message("dora", "noone@ours.test")

    submit(pair.ours, "whoever", "carl@opensmtpd.test", "noone@opensmtpd.test")
    assert pair.theirs.message("carl", "Subject: whoever")
    bounce = arrived(pair.ours, "Final-Recipient: rfc822; noone@opensmtpd.test").replace("\r\n ", " ")
    assert "Diagnostic-Code: smtp; 524 5.2.4 Mailing list expansion problem" in bounce


def test_what_it_cannot_carry_comes_back(pair: Pair) -> None:
    submit(pair.ours, "an jörg", "jörg@opensmtpd.test", "carl@opensmtpd.test", mail=["SMTPUTF8"])
    bounce = arrived(pair.ours, r"Final-Recipient: utf-8; j\x{F6}rg@opensmtpd.test")
    assert "Status: 5.6.7" in bounce  # RFC 6531 §3.5
    assert "Content-Type: message/global\r\n" in bounce
    assert "Subject: an jörg\r\n" in bounce  # RFC 6533 §4.5: as it is, its sender is here


def test_a_receipt_by_opensmtpd(pair: Pair) -> None:
    submit(pair.ours, "asked", "dora@opensmtpd.test", mail=["ENVID=E2"], rcpt=["NOTIFY=SUCCESS"])
    receipt = arrived(pair.ours, "Reporting-MTA: dns; mx.opensmtpd.test")
    assert "Final-Recipient: rfc822; dora@opensmtpd.test" in receipt
