"""Reports of what DMARC said: sent to those who ask, and read when others send them (RFC 9990)."""

import base64
from smtplib import SMTPDataError

import pytest

from postroad.dns.zone import ZoneResolver
from postroad.mailauth.dmarc.destinations import destinations
from postroad.mailauth.dmarc.report.read import read_report
from postroad.mailauth.dmarc.report.values import Published, Report
from postroad.mailauth.dmarc.report.write import write_report
from postroad.model.address import Address, parse_mailbox
from postroad.model.answers import TemporaryFailure
from postroad.testing import ThreadedWorld
from tests.unit.mailauth.dmarc.test_report import ROW
from tests.world.clients import mail
from tests.world.conftest import ADA
from tests.world.test_sender_auth import EVE, judging, publish, send, taken


def attached(octets: bytes) -> Report:
    """The report that is in a message of ours."""
    _, _, part = octets.partition(b"Content-Type: application/gzip")
    encoded = part.partition(b"\r\n\r\n")[2].partition(b"\r\n--")[0]
    return read_report(base64.b64decode(encoded))


def test_a_domain_that_asks_is_told_the_next_day() -> None:
    with judging() as world:
        theirs = world.remote("x.test")
        publish(world, dmarc="v=DMARC1; p=quarantine; sp=none; rua=mailto:dmarc@x.test,mailto:a@other.test")
        send(world, mail(sender=EVE))
        send(world, mail(sender=EVE))
        send(world, mail(sender="eve@s.x.test"), sender="eve@s.x.test")
        world.advance(hours=48)
        report = taken(world, theirs)
        assert report.recipients == ["dmarc@x.test"]  # other.test has not agreed
        assert b"\r\nSubject: Report Domain: x.test Submitter: demo.test" in report.body.replace(
            b"\r\n ", b" "
        )
        found = attached(report.body)
        assert found.organization == "demo.test"
        assert found.published == Published("x.test", "quarantine", "none")
        seen = {(row.header_from, row.disposition, row.spf, row.dkim, count) for row, count in found.rows}
        assert seen == {("x.test", "quarantine", "fail", "fail", 2), ("s.x.test", "none", "fail", "fail", 1)}
        (row,) = [row for row, _ in found.rows if row.header_from == "x.test"]
        assert (row.source, row.senders[0].result) == ("127.0.0.1", "fail")
        assert world.call(lambda: world.world.read(lambda r: r.rows("SELECT * FROM dmarc_result"))) == []


def test_what_was_refused_is_reported_too() -> None:
    with judging() as world:
        theirs = world.remote("x.test")
        publish(world, dmarc="v=DMARC1; p=reject; rua=mailto:dmarc@x.test")
        with pytest.raises(SMTPDataError):
            send(world, mail(sender=EVE))
        world.advance(hours=48)
        ((row, count),) = attached(taken(world, theirs).body).rows
        assert (row.disposition, count) == ("reject", 1)


def test_who_does_not_ask_gets_none() -> None:
    with judging() as world:
        theirs = world.remote("x.test")
        publish(world, dmarc="v=DMARC1; p=none")
        send(world, mail(sender=EVE))
        world.advance(hours=48)
        assert theirs.messages == []


def test_where_reports_may_go() -> None:
    zone = ZoneResolver()
    for name, text in (
        ("_dmarc.x.test", b"v=DMARC1; p=none"),
        ("x.test._report._dmarc.yes.test", b"v=DMARC1"),
        ("x.test._report._dmarc.other.test", b"v=DMARC1; rua=mailto:b@other.test"),
        ("x.test._report._dmarc.moved.test", b"v=DMARC1; rua=mailto:b@victim.test"),
        ("x.test._report._dmarc.no.test", b"v=spf1 -all"),
    ):
        zone.add_txt(name, text)
    wished = [f"a@{name}.test" for name in ("s.x", "yes", "other", "moved", "no", "none")]

    async def ask() -> tuple[Address, ...] | TemporaryFailure:
        return await destinations(zone, "x.test", map(parse_mailbox, wished))

    with ThreadedWorld(workers=1) as world:
        agreed = world.run(ask())
        zone.broken = {"x.test._report._dmarc.yes.test"}
        assert isinstance(world.run(ask()), TemporaryFailure)
    assert not isinstance(agreed, TemporaryFailure)
    assert [str(one) for one in agreed] == ["a@s.x.test", "a@yes.test", "b@other.test"]


def incoming(octets: bytes) -> bytes:
    return (
        (
            b"From: dmarc@x.test\r\nTo: ada@demo.test\r\n"
            b"Subject: Report Domain: demo.test\r\n Submitter: x.test Report-ID: <1>\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + base64.encodebytes(octets)
        )
        .replace(b"\r\n", b"\n")
        .replace(b"\n", b"\r\n")
    )


def test_a_report_about_us_is_kept_and_is_mail_all_the_same() -> None:
    report = Report("x.test", "dmarc@x.test", "1", 0, 86399, Published("demo.test", "none"), ((ROW, 7),))
    with judging() as world:
        publish(world, spf="v=spf1 ip4:127.0.0.1 -all", dmarc="v=DMARC1; p=reject")
        send(world, incoming(write_report(report, "test")), sender="dmarc@x.test")
        send(world, incoming(b"\x1f\x8bgarbage"), sender="dmarc@x.test")
        assert len(world.mailbox(ADA).messages()) == 2
        rows = world.call(
            lambda: world.world.read(
                lambda r: r.rows("SELECT domain, organization, author, passed, failed FROM dmarc_report_in")
            )
        )
        assert rows == [("demo.test", "x.test", "x.test", 0, 7)]


def complaint(kind: bytes = b"auth-failure", domain: bytes = b"demo.test") -> bytes:
    """A report about one message (RFC 9991)."""
    return (
        b"From: dmarc@x.test\nTo: ada@demo.test\nSubject: FW: hello\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/report; report-type=feedback-report;\n boundary=b\n\n"
        b"--b\n\nA message failed.\n--b\nContent-Type: message/feedback-report\n\n"
        b"Feedback-Type: " + kind + b"\nVersion: 1\nUser-Agent: x/1\nAuth-Failure: dmarc\n"
        b"Source-IP: 192.0.2.1\nReported-Domain: " + domain + b"\nDelivery-Result: reject\n\n"
        b"--b\nContent-Type: text/rfc822-headers\n\nFrom: ada@demo.test\n\n--b--\n"
    ).replace(b"\n", b"\r\n")


def test_a_report_about_one_message_is_kept_and_is_mail_all_the_same() -> None:
    with judging() as world:
        publish(world, spf="v=spf1 ip4:127.0.0.1 -all", dmarc="v=DMARC1; p=reject")
        for message in (
            complaint(),
            complaint(domain=b"news.demo.test"),
            complaint(domain=b"elsewhere.test"),
            complaint(kind=b"abuse"),
        ):
            send(world, message, sender="dmarc@x.test")
        assert len(world.mailbox(ADA).messages()) == 4
        rows = world.call(
            lambda: world.world.read(
                lambda r: r.rows("SELECT domain, author, source, result FROM dmarc_failure_in")
            )
        )
        assert rows == [("demo.test", "x.test", "192.0.2.1", "reject")] * 2
        world.advance(days=92)
        left = world.call(lambda: world.world.read(lambda r: r.rows("SELECT * FROM dmarc_failure_in")))
        assert left == []
