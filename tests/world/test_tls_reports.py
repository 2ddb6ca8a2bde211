"""Reports of TLS, sent and received (RFC 8460)."""

import gzip
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from postroad.message.part import parse_parts
from postroad.message.transfer import decode
from postroad.testing import ThreadedWorld
from postroad.testing.remote_message import TakenMessage
from postroad.testing.web import Page
from tests.unit.mailauth.test_dane import tlsa
from tests.unit.mailauth.test_tlsrpt import VECTORS
from tests.world.clients import mail, submit
from tests.world.test_sending_securely import MX, certified, publish, send, sign


def wanted(world: ThreadedWorld, uris: str = "mailto:tls@reports.test") -> None:
    """elsewhere.test asks for reports."""
    world.resolver.add_txt("_smtp._tls.elsewhere.test", f"v=TLSRPTv1; rua={uris}".encode())


def report_in(message: TakenMessage) -> Mapping[str, Any]:
    """The JSON in a message."""
    part = parse_parts(message.body).children[1]
    octets = decode(message.body[part.body_start : part.body_end], part.encoding)
    found: Mapping[str, Any] = msgspec.json.decode(gzip.decompress(octets))
    return found


def test_a_day_is_reported_when_it_is_over(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test", shows=certified(world))
    reports = world.remote("reports.test")
    publish(world)
    wanted(world)
    send(world)
    world.advance(days=1, hours=6)
    (message,) = reports.messages
    assert message.recipients == ["tls@reports.test"]
    assert message.sender == ""
    head = message.body.partition(b"\r\n\r\n")[0]
    for line in (
        b"TLS-Report-Domain: elsewhere.test",
        b"TLS-Report-Submitter: demo.test",
        b'Content-Type: multipart/report; report-type="tlsrpt"',
        b"Subject: Report Domain: elsewhere.test Submitter: demo.test",
    ):
        assert line in head
    report = report_in(message)
    (policy,) = report["policies"]
    assert policy["policy"]["policy-type"] == "sts"
    assert policy["policy"]["policy-domain"] == "elsewhere.test"
    assert policy["policy"]["mx-host"] == [MX]
    assert policy["summary"] == {"total-successful-session-count": 1, "total-failure-session-count": 0}
    world.advance(days=2)
    assert len(reports.messages) <= 2, "a day is reported once; the report itself was a session of another"


def test_failures_say_where_and_why(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test")
    reports = world.remote("reports.test")
    sign(world)
    world.resolver.add_tlsa(f"_25._tcp.{MX}", tlsa(3, 1, 1, certified(world)))
    wanted(world)
    send(world)
    world.advance(days=1, hours=6)
    (policy,) = report_in(reports.messages[0])["policies"]
    assert policy["policy"]["policy-type"] == "tlsa"
    assert policy["policy"]["policy-string"][0].startswith("3 1 1 ")
    assert policy["summary"]["total-successful-session-count"] == 0
    (detail,) = policy["failure-details"]
    assert detail["result-type"] == "certificate-not-trusted"
    assert detail["receiving-mx-hostname"] == MX
    assert detail["receiving-ip"] == "127.0.1.1"
    assert detail["failed-session-count"] == policy["summary"]["total-failure-session-count"] > 1


@pytest.mark.parametrize(
    ("mode", "mx", "tls", "result"),
    [
        ("testing", MX, False, "starttls-not-supported"),
        ("testing", MX, True, "certificate-not-trusted"),
        ("testing", "mx.other.test", True, "validation-failure"),
        ("enforce", "mx.other.test", True, "validation-failure"),
    ],
)
def test_what_is_only_tested_is_reported_too(
    world: ThreadedWorld, mode: str, mx: str, tls: bool, result: str
) -> None:
    world.remote("elsewhere.test", tls=tls)
    reports = world.remote("reports.test")
    publish(world, mode=mode, mx=mx)
    wanted(world)
    send(world)
    world.advance(days=1, hours=6)
    (policy,) = report_in(reports.messages[0])["policies"]
    assert policy["policy"]["policy-type"] == "sts"
    assert [detail["result-type"] for detail in policy["failure-details"]] == [result]


def test_a_policy_that_could_not_be_fetched_is_reported(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test")
    reports = world.remote("reports.test")
    publish(world).pages.clear()
    wanted(world)
    send(world)
    world.advance(days=1, hours=6)
    policies = {p["policy"]["policy-type"]: p for p in report_in(reports.messages[0])["policies"]}
    assert policies["sts"]["failure-details"][0]["result-type"] == "sts-policy-fetch-error"
    assert policies["no-policy-found"]["summary"]["total-successful-session-count"] == 1


def test_a_report_of_what_is_wrong_does_not_fail_for_what_is_wrong(world: ThreadedWorld) -> None:
    """RFC 8460 §3."""
    server = world.remote("elsewhere.test")
    sign(world)
    world.resolver.add_tlsa(f"_25._tcp.{MX}", tlsa(3, 1, 1, certified(world)))
    wanted(world, "mailto:tls@elsewhere.test")
    send(world)
    world.advance(days=1, hours=6)
    # The message waits, and what came of it is reported for each day.
    assert {tuple(m.recipients) for m in server.messages} == {("tls@elsewhere.test",)}


def test_who_does_not_ask_gets_none(world: ThreadedWorld) -> None:
    server = world.remote("elsewhere.test")
    send(world)
    world.advance(days=1, hours=6)
    assert len(server.messages) == 1
    assert world.read(lambda reader: reader.value("SELECT count(*) FROM tls_result")) == 0


def test_reports_are_posted_where_that_is_asked_for(world: ThreadedWorld) -> None:
    world.remote("elsewhere.test")
    site = world.website("reports.test")
    wanted(world, "https://reports.test/tls?x=1")
    send(world)
    world.advance(days=1, hours=5)
    assert site.asked, "it is a 404 until now"
    site.pages["/tls?x=1"] = Page(status=201)
    world.advance(hours=16)  # the longest time between two tries, of as many as fit into a day
    last = site.asked[-1]
    assert (last.method, last.target) == ("POST", "/tls?x=1")
    assert last.headers["content-type"] == "application/tlsrpt+gzip"
    assert msgspec.json.decode(gzip.decompress(last.octets))["organization-name"] == "demo.test"
    count = len(site.asked)
    world.advance(hours=6)
    assert len(site.asked) == count, "it was taken"


def test_an_address_that_is_none_keeps_no_report_back(world: ThreadedWorld) -> None:
    """What strangers write in their DNS stops neither their report nor those of others."""
    world.remote("elsewhere.test")
    reports = world.remote("reports.test")
    wanted(world, "mailto://[,https://[/,https://[::1]:x/,mailto:%0d%0aBcc:x@y.test,mailto:tls@reports.test")
    send(world)
    world.advance(days=1, hours=6)
    (message,) = reports.messages
    assert message.recipients == ["tls@reports.test"]


def received(world: ThreadedWorld) -> list[tuple[Any, ...]]:
    return world.read(
        lambda reader: reader.rows(
            "SELECT domain, organization, policy, successes, failures FROM tls_report_in ORDER BY n"
        )
    )


def sent_to_us(name: str, domain: str) -> bytes:
    """A report of others, with one of our domains in it."""
    octets = (VECTORS / name).read_bytes()
    return octets if b"\r\n" in octets else octets.replace(b"\n", b"\r\n")


def test_reports_about_our_domains_are_kept(world: ThreadedWorld) -> None:
    world.add_domain("company-y.example")
    octets = sent_to_us("rpt01.eml", "company-y.example")
    world.deliver("ada@demo.test", message=octets)
    world.deliver("ada@demo.test", message=octets)  # twice is once
    rows = received(world)
    assert rows
    assert {row[0] for row in rows} == {"company-y.example"}
    assert len(world.mailbox("ada@demo.test").messages()) == 2, "it is mail all the same"
    world.change(lambda tx: tx.run("UPDATE tls_report_in SET at = at - ?", 91 * 86400))
    world.advance(minutes=20)
    world.until(lambda: not received(world))


def test_reports_about_domains_of_others_are_only_mail(world: ThreadedWorld) -> None:
    world.deliver("ada@demo.test", message=sent_to_us("rpt01.eml", ""))
    assert received(world) == []
    assert len(world.mailbox("ada@demo.test").messages()) == 1


def test_junk_that_calls_itself_a_report_is_only_mail(world: ThreadedWorld) -> None:
    junk = (
        b"From: <x@y.test>\r\nSubject: x\r\nTLS-Report-Domain: demo.test\r\n"
        b"Content-Type: application/tlsrpt+gzip\r\n\r\nnot gzip\r\n"
    )
    world.deliver("ada@demo.test", message=junk)
    assert received(world) == []
    assert len(world.mailbox("ada@demo.test").messages()) == 1


def test_nothing_is_counted_where_nobody_wants_reports(world: ThreadedWorld) -> None:
    submit(world, mail(), "bob@demo.test")
    world.advance(hours=1)
    assert world.read(lambda reader: reader.value("SELECT count(*) FROM tls_result")) == 0
