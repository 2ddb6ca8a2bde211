"""Port 25 and real programs: receipts and UTF-8 addresses with Postfix, a list that NSD serves."""

import socket
from pathlib import Path

from tests.interop.addresses import free_ports, loopback_address
from tests.interop.certificates import Certificates
from tests.interop.conftest import Internet
from tests.interop.dns_server import DnsServer
from tests.interop.messages import arrived, hand_to, submit
from tests.interop.neighbours import started
from tests.interop.postfix_server import Postfix
from tests.interop.postroad_server import Postroad, running


def test_postfix_passes_dsn_on_and_its_user_gets_our_receipt(internet: Internet) -> None:
    hand_to(
        internet.theirs.address,
        "receipt please",
        "ada@ours.test",
        mail=["ENVID=QQ314"],
        rcpt=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;ada@ours.test"],
    )

    assert arrived(internet.ours, "Subject: receipt please")
    receipt = internet.theirs.message("carl", "multipart/report")
    assert "Reporting-MTA: dns; mx.ours.test" in receipt.replace("dns;mx", "dns; mx")
    assert "Action: delivered" in receipt
    assert "Original-Envelope-Id: QQ314" in receipt


def test_internationalized_mail_comes_and_goes(internet: Internet) -> None:
    ours, theirs = internet.ours, internet.theirs
    ours.cli("alias", "add", "jörg@ours.test", "ada@ours.test")
    hand_to(theirs.address, "Grüße", "jörg@ours.test", body="Ä.\r\n", mail=["SMTPUTF8", "BODY=8BITMIME"])
    got = arrived(ours, "Subject: Grüße")
    assert "Delivered-To: jörg@ours.test" in got
    assert "with UTF8SMTPS" in got

    submit(internet.ours, "Antwort ü", "jörg@theirs.test", mail=["SMTPUTF8", "BODY=8BITMIME"])
    assert "with UTF8SMTPS" in theirs.message("jorg", "Subject: Antwort ü")


def test_a_user_of_postfix_hears_of_a_delay(tmp_path: Path, certificates: Certificates) -> None:
    """RFC 3461 §4.1, RFC 3464 §2.3.3: nobody answers where an alias leads; and then it goes back."""
    dns = DnsServer(tmp_path)
    exchanger = loopback_address(25)
    theirs = Postfix(certificates, dns.address)
    dns.add("ours MX 10 mx.ours", f"mx.ours A {exchanger}", "dead MX 10 mx.dead", "mx.dead A 127.0.0.66")
    dns.add("theirs MX 10 mx.theirs", f"mx.theirs A {theirs.address}")
    soon = 'retry_first = "1 s"\nretry_max = "2 s"\ndelay_notice = "1 s"\nlifetime = "6 s"'
    ours = Postroad(tmp_path, certificates, resolver=dns.address, exchanger=exchanger, queue=soon, workers=1)
    with started(dns, theirs), running(ours):
        ours.cli("alias", "add", "away@ours.test", "eve@dead.test")
        hand_to(theirs.address, "slow", "away@ours.test", mail=["ENVID=E7", "RET=HDRS"])
        delayed = theirs.message("carl", "Subject: Delayed: slow")
        failed = theirs.message("carl", "Subject: Undelivered: slow")
    assert delayed.startswith("Return-Path: <>")
    for line in (
        "Auto-Submitted: auto-replied",
        "Reporting-MTA: dns; mx.ours.test",
        "Original-Envelope-Id: E7",
        "Final-Recipient: rfc822; eve@dead.test",
        "Action: delayed",
        "Status: 4.4.1",
        "Will-Retry-Until: ",
        "Content-Type: text/rfc822-headers",
    ):
        assert line in delayed.replace("rfc822;a", "rfc822; a"), line
    assert "Action: failed" in failed
    assert "Status: 4.4.7" in failed
    assert "Will-Retry-Until" not in failed


def test_a_list_that_nsd_serves(tmp_path: Path, certificates: Certificates) -> None:
    dns = DnsServer(tmp_path)
    dns.add("7.2.0.192.bl A 127.0.0.4")
    (port,) = free_ports(1)
    more = (
        f'\n[[listener]]\nrole = "smtp"\naddress = "127.0.0.1:{port}"\nproxy_from = ["127.0.0.1"]\n'
        '\n[receiving]\nlists = ["bl.test=127.0.0.[2..11]", "nobody.bl.test"]\n'
    )
    dns.start()
    try:
        with running(Postroad(tmp_path, certificates, resolver=dns.address, more=more)):
            assert b"554 5.7.1 192.0.2.7 is listed by bl.test" in _rcpt(port, "192.0.2.7")
            assert b"250 2.1.5" in _rcpt(port, "192.0.2.8")
    finally:
        dns.stop()


def _rcpt(port: int, address: str) -> bytes:
    """What a client at that address hears in the whole of a dialogue."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(b"PROXY TCP4 %b 127.0.0.1 4000 25\r\n" % address.encode())
        said = client.recv(1000)
        for line in (b"EHLO mx.test", b"MAIL FROM:<eve@theirs.test>", b"RCPT TO:<ada@ours.test>", b"QUIT"):
            client.sendall(line + b"\r\n")
            said += client.recv(4000)
        return said
