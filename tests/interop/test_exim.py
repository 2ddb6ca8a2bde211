"""Exim on the other side, both ways: BDAT, SMTPUTF8, DSN, callouts, and each other's DKIM signatures."""

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
from tests.interop.messages import arrived, hand_to, submit
from tests.interop.postroad_server import Postroad, running
from tests.interop.processes import until
from tests.unit.mailauth.dkim.making import record, rsa

BODY = "Grüße.\r\n.\r\n..\r\n" + "x" * 990 + "\r\nEnd.\r\n"
LIMITS = '\n[limits]\nmessage_size = "800 KB"\n'


@dataclass(frozen=True, slots=True)
class Pair:
    """postroad serves ours.test, Exim serves exim.test; both sign, and judge what the other signed."""

    ours: Postroad
    exim: Exim


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Pair]:
    tmp_path = tmp_path_factory.mktemp("exim")
    dns = DnsServer(tmp_path)
    exchanger = loopback_address(25)
    exim = Exim(certificates, dns.address)
    key = rsa().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    ours = Postroad(
        tmp_path,
        certificates,
        resolver=dns.address,
        exchanger=exchanger,
        workers=1,
        sender_auth="",
        more=LIMITS,
    )
    dns.add(f"mx.ours A {exchanger}", "exim MX 10 mx.exim", f"mx.exim A {exim.address}")
    dns.add_text("_dmarc.exim", "v=DMARC1; p=reject")
    dns.add_text("sel._domainkey.exim", record(rsa()).decode())
    with ExitStack() as cleanup:
        cleanup.callback(exim.remove)
        cleanup.enter_context(running(ours))
        dns.add(ours.cli("domain", "dns", "ours.test", "--format", "zone"))
        dns.start()
        cleanup.callback(dns.stop)
        exim.start(key)
        cleanup.callback(exim.stop)
        ours.cli("dkim", "look")
        yield Pair(ours, exim)


def test_postroad_delivers_to_exim(pair: Pair) -> None:
    submit(pair.ours, "out", "carl@exim.test", "dora@exim.test", body=BODY)
    for user in ("carl", "dora"):
        got = pair.exim.message(user, "Subject: out")
        assert got.startswith("Return-path: <ada@ours.test>")
        assert got.endswith(BODY.replace("\r\n", "\n"))
        for kind in ("ed25519-sha256", "rsa-sha256"):
            assert re.search(rf"dkim=pass header\.d=ours\.test header\.s=\w+ header\.a={kind}", got)
    (taken,) = [line for line in pair.exim.log().splitlines() if 'T="out"' in line]
    assert "P=esmtps L. X=TLS1.3" in taken, "L. says that it was pipelined"


def test_exim_delivers_to_postroad_by_bdat(pair: Pair) -> None:
    large = BODY + ("y" * 70 + "\r\n") * 5000
    hand_to(pair.exim.address, "in", "ada@ours.test", "bob@ours.test", body=large, sender="carl@exim.test")
    for user in ("ada@ours.test", "bob@ours.test"):
        got = arrived(pair.ours, "Subject: in", user=user)
        assert got.startswith(f"Return-Path: <carl@exim.test>\r\nDelivered-To: {user}\r\n")
        assert got.endswith("\r\n\r\n" + large)
        unfolded = got.replace("\r\n ", " ").replace("\r\n\t", " ")
        assert "dkim=pass" in unfolded
        assert "dmarc=pass (p=reject by exim.test" in unfolded
    for line in sent(pair, "ada@ours.test"):
        assert re.search(r"X=TLS1\.3:\S+ CV=yes DN=\S+ L K C=", line), "pipelined, and K for BDAT"


def test_what_one_refuses_the_others_get(pair: Pair) -> None:
    hand_to(pair.exim.address, "astray", "noone@ours.test", "ada@ours.test", sender="carl@exim.test")
    assert arrived(pair.ours, "Subject: astray")
    bounce = pair.exim.message("carl", "noone@ours.test")
    assert "SMTP error from remote mail server after RCPT TO:<noone@ours.test>" in bounce.replace("\n", "")
    assert "550 5.1.1" in bounce

    hand_to(pair.exim.address, "alone", "noone@ours.test", sender="dora@exim.test")
    assert pair.exim.message("dora", "550 5.1.1"), "BDAT was on its way when nobody was left"

    submit(pair.ours, "whoever", "carl@exim.test", "noone@exim.test")
    assert pair.exim.message("carl", "Subject: whoever")
    bounce = arrived(pair.ours, "Final-Recipient: rfc822; noone@exim.test")
    assert "Diagnostic-Code: smtp; 550 Unrouteable address" in bounce.replace("\r\n ", " ")


def test_a_message_that_is_refused_behind_its_last_chunk(pair: Pair) -> None:
    twice = "From: eve@exim.test\r\n\r\nHello.\r\n"
    hand_to(pair.exim.address, "two authors\r\n" + twice, "ada@ours.test", sender="carl@exim.test")
    bounce = pair.exim.message("carl", "Subject: two authors")
    assert "end of data" in bounce
    assert "550 5.7.1" in bounce


def test_a_message_that_is_larger_than_ehlo_said(pair: Pair) -> None:
    body = ("x" * 70 + "\r\n") * 12_000
    hand_to(pair.exim.address, "huge", "ada@ours.test", body=body, sender="carl@exim.test")
    assert "552 5.3.4" in pair.exim.message("carl", "Subject: huge")


def test_exim_asks_whether_a_sender_is_here(pair: Pair) -> None:
    with smtplib.SMTP(pair.exim.address, 25, local_hostname="elsewhere.test") as session:
        session.ehlo()
        for sender, code in (("noone@ours.test", 550), ("ada@ours.test", 250)):
            session.mail(sender)
            assert session.rcpt("carl@exim.test")[0] == code, sender
            session.rset()
    assert "550 5.1.1" in pair.exim.log()


def test_internationalized_mail(pair: Pair) -> None:
    pair.ours.cli("alias", "add", "jörg@ours.test", "ada@ours.test")
    options = ["SMTPUTF8", "BODY=8BITMIME"]
    to = "jörg@ours.test"
    hand_to(pair.exim.address, "Grüße an jörg", to, body="Ä.\r\n", sender="dörte@exim.test", mail=options)
    got = arrived(pair.ours, "Subject: Grüße an jörg")
    assert got.startswith(f"Return-Path: <dörte@exim.test>\r\nDelivered-To: {to}")
    assert "with UTF8SMTPS" in got

    submit(pair.ours, "Grüße an dörte", "dörte@exim.test", mail=options)
    assert "with utf8esmtps" in pair.exim.message("dörte", "Subject: Grüße an dörte")


def test_receipts(pair: Pair) -> None:
    wish = ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;asked@for.test"]
    hand_to(
        pair.exim.address, "by us", "ada@ours.test", sender="dora@exim.test", mail=["ENVID=E1"], rcpt=wish
    )
    receipt = pair.exim.message("dora", "Reporting-MTA: dns; mx.ours.test")
    for line in (
        "Action: delivered",
        "Original-Envelope-Id: E1",
        "Original-Recipient: rfc822;asked@for.test",
    ):
        assert line in receipt.replace("rfc822; ", "rfc822;")

    submit(pair.ours, "by them", "dora@exim.test", mail=["ENVID=E2"], rcpt=wish)
    receipt = arrived(pair.ours, "Reporting-MTA: dns; mx.exim.test")
    for line in ("action: delivered", "original-envelope-id: e2"):
        assert line in receipt.lower()


def test_exim_keeps_what_a_full_mailbox_defers(pair: Pair) -> None:
    pair.ours.cli("account", "quota", "bob@ours.test", "1K")
    body = ("x" * 70 + "\r\n") * 100
    hand_to(pair.exim.address, "patience", "bob@ours.test", body=body, sender="carl@exim.test")
    until(lambda: "452 4.2.2" in pair.exim.log(), "a deferral")
    pair.ours.cli("account", "quota", "bob@ours.test", "none")
    assert arrived(pair.ours, "Subject: patience", user="bob@ours.test")


def sent(pair: Pair, recipient: str) -> list[str]:
    """What Exim has logged of deliveries to somebody, once there is one."""
    return until(
        lambda: [line for line in pair.exim.log().splitlines() if re.search(f"[=-]> {recipient} ", line)],
        "Exim's word for it",
    )
