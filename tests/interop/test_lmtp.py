"""Postfix in front: it takes the mail and hands it over by LMTP, through a Unix socket."""

from collections.abc import Iterator

import pytest

from tests.interop.certificates import Certificates
from tests.interop.conftest import Internet
from tests.interop.dns_server import DnsServer
from tests.interop.messages import arrived, hand_to, texts
from tests.interop.neighbours import started
from tests.interop.postfix_server import Postfix
from tests.interop.postroad_server import Postroad, running
from tests.interop.processes import until


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Internet]:
    """Postfix sends what is for ours.test to the socket."""
    tmp_path = tmp_path_factory.mktemp("lmtp")
    dns = DnsServer(tmp_path)
    theirs = Postfix(certificates, dns.address)
    path = theirs.directory / "lmtp"  # where Postfix's own user may look
    theirs.more = f"transport_maps = inline:{{ ours.test=lmtp:unix:{path} }}\n"
    listener = f'\n[[listener]]\nrole = "lmtp"\naddress = "unix:{path}"\ntls = "none"\n'
    dns.add("theirs MX 10 mx.theirs", f"mx.theirs A {theirs.address}")
    with started(dns, theirs):
        ours = Postroad(tmp_path, certificates, resolver=dns.address, more=listener)
        with running(ours) as postroad:
            yield Internet(postroad, theirs)


def test_postfix_hands_mail_over(internet: Internet) -> None:
    hand_to(internet.theirs.address, "handed over", "ada@ours.test", body="Grüße.\r\n.\r\n..\r\nEnd.\r\n")
    got = arrived(internet.ours, "Subject: handed over")
    assert got.startswith("Return-Path: <carl@theirs.test>\r\nDelivered-To: ada@ours.test\r\n")
    assert "by mx.ours.test with LMTP" in got.replace("\r\n\t", " ").replace("\r\n ", " ")
    assert got.endswith("\r\n\r\nGrüße.\r\n.\r\n..\r\nEnd.\r\n")


def test_each_recipient_has_an_answer_of_its_own(internet: Internet) -> None:
    ours, theirs = internet.ours, internet.theirs
    ours.cli("account", "quota", "bob@ours.test", "1K")
    for recipient in ("ada@ours.test", "bob@ours.test", "nobody@ours.test"):
        hand_to(internet.theirs.address, f"to {recipient[:3]}", recipient, body=("x" * 70 + "\r\n") * 100)
    assert arrived(ours, "Subject: to ada")
    assert "550 5.1.1" in theirs.message("carl", "Undelivered Mail")
    until(lambda: "452 4.2.2" in theirs.queue().replace("\n", " "), "Postfix to keep what is for bob")
    assert texts(ours, user="bob@ours.test") == []
