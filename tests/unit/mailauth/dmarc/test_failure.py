"""Reports about single messages, as far as they are read (RFC 5965, RFC 6591)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroad.mailauth.dmarc.report.failure import MOST_INCIDENTS, Failure, read_failure
from postroad.mailauth.inflate import BadReport

REPORT = b"""Feedback-Type: auth-failure
Version: 1
User-Agent: Someone's Mail Filter/0.1
Auth-Failure: dmarc
Authentication-Results: mx.r.test; dkim=fail header.d=x.test; spf=pass smtp.mailfrom=y.test
Original-Envelope-Id: o3F52gxO029144
Original-Mail-From: <bounces@y.test>
Source-IP: 192.0.2.1
Reported-Domain: X.test
Identity-Alignment: spf, dkim
Delivery-Result: reject
Incidents: 3
""".replace(b"\n", b"\r\n")


def test_it_says_who_sent_what_became_of_it() -> None:
    assert read_failure(REPORT) == Failure(
        domain="x.test",
        source="192.0.2.1",
        sender="<bounces@y.test>",
        failed=("dmarc",),
        unaligned=("spf", "dkim"),
        result="reject",
        incidents=3,
    )


def test_little_is_needed() -> None:
    found = read_failure(b"FEEDBACK-TYPE: Auth-Failure\nAuth-failure: SPF\nReported-Domain: x.test")
    assert (found.failed, found.unaligned, found.source, found.result, found.incidents) == (
        ("spf",),
        (),
        "",
        "",
        1,
    )


@pytest.mark.parametrize(
    ("line", "value", "attribute", "read"),
    [
        (b"Source-IP", b"[2001:DB8::1]", "source", "2001:db8::1"),
        (b"Source-IP", b"\x1b[31m", "source", ""),
        (b"Identity-Alignment", b"none", "unaligned", ()),
        (b"Delivery-Result", b"\x1b[31m", "result", ""),
        (b"Incidents", b"999999999", "incidents", MOST_INCIDENTS),
        (b"Incidents", b"-1", "incidents", 1),
    ],
)
def test_values_of_strangers(line: bytes, value: bytes, attribute: str, read: object) -> None:
    lines = [known for known in REPORT.split(b"\r\n") if not known.startswith(line)]
    octets = line + b": " + value + b"\r\n" + b"\r\n".join(lines)
    assert getattr(read_failure(octets), attribute) == read


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (REPORT.replace(b"auth-failure", b"abuse"), "reports abuse"),
        (REPORT.replace(b"Reported-Domain: X.test", b"X: y"), "which domain"),
        (REPORT.replace(b"Auth-Failure: dmarc", b"X: y"), "what failed"),
        (b"", "reports nothing"),
    ],
)
def test_what_is_none(octets: bytes, reason: str) -> None:
    with pytest.raises(BadReport, match=reason):
        read_failure(octets)


@given(st.binary(max_size=400))
def test_nothing_else_is_raised(octets: bytes) -> None:
    for report in (octets, b"Feedback-Type: auth-failure\r\n" + octets, REPORT + octets):
        try:
            read_failure(report)
        except BadReport:
            pass
