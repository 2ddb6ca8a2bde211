"""TLS reports, written and read (RFC 8460)."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from postroad.mailauth import inflate
from postroad.mailauth.inflate import BadReport
from postroad.mailauth.tlsrpt import (
    DateRange,
    Detail,
    Policy,
    PolicyPart,
    Report,
    Summary,
    read_report,
    report_addresses,
    write_report,
)
from postroad.message.part import parse_parts
from postroad.message.transfer import decode

VECTORS = Path(__file__).parents[2] / "vectors" / "tlsrpt"
REPORT = Report(
    "ours.test",
    DateRange(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC)),
    "postmaster@ours.test",
    "2026-01-01-elsewhere.test",
    [
        Policy(
            PolicyPart("sts", ["version: STSv1", "mode: testing"], "elsewhere.test", ["*.elsewhere.test"]),
            Summary(5, 2),
            [
                Detail(
                    "certificate-expired", receiving_mx_hostname="mx.elsewhere.test", failed_session_count=2
                )
            ],
        )
    ],
)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (b"v=TLSRPTv1; rua=mailto:reports@example.com", ("mailto:reports@example.com",)),
        (b"v=TLSRPTv1;rua=https://a.test/x , mailto:b@c.test;", ("https://a.test/x", "mailto:b@c.test")),
        (b"v=TLSRPTv1; x=y; rua=mailto:a@b.test", ("mailto:a@b.test",)),
        (b"v=TLSRPTv1; rua=ftp://a.test, http://a.test", ()),
        (
            b"v=TLSRPTv1; rua=https://a.test/\x01, https://a.test/ x, https:, MAILTO:a@b.test",
            ("MAILTO:a@b.test",),
        ),
        (b"v=TLSRPTv1; rua=https://a.test/%b" % (b"x" * 2000), ()),
        (b"v=TLSRPTv1;", ()),
        (b"v=TLSRPTv2; rua=mailto:a@b.test", ()),
        (b"rua=mailto:a@b.test", ()),
        (b"v=TLSRPTv1 ; rua = mailto:a@b.test ; x.y-z_1=(v)\t; ", ("mailto:a@b.test",)),
        (b"v=TLSRPTv1; rua=mailto:a@b.test; rua=mailto:c@d.test", ("mailto:a@b.test",)),
        # A record with a field that is none is none (RFC 8460 §3).
        (b"v=TLSRPTv1; rua=mailto:a@b.test;;", ()),
        (b"v=TLSRPTv1; rua=mailto:a@b.test; x=", ()),
        (b"v=TLSRPTv1; rua=mailto:a@b.test; x==", ()),
        (b"v=TLSRPTv1; _x=1; rua=mailto:a@b.test", ()),
        (b"v=TLSRPTv1; rua=mailto:a@b.test; %b=1" % (b"x" * 33), ()),
    ],
)
def test_reports_go_where_the_record_says(record: bytes, expected: tuple[str, ...]) -> None:
    assert report_addresses((record, b"something else")) == expected


def test_two_records_are_none() -> None:
    assert report_addresses((b"v=TLSRPTv1; rua=mailto:a@b.test",) * 2) == ()


def test_a_report_says_what_the_rfc_has_it_say() -> None:
    written = msgspec.json.decode(gzip.decompress(write_report(REPORT)))
    assert written == {
        "organization-name": "ours.test",
        "date-range": {"start-datetime": "2026-01-01T00:00:00Z", "end-datetime": "2026-01-01T23:59:59Z"},
        "contact-info": "postmaster@ours.test",
        "report-id": "2026-01-01-elsewhere.test",
        "policies": [
            {
                "policy": {
                    "policy-type": "sts",
                    "policy-string": ["version: STSv1", "mode: testing"],
                    "policy-domain": "elsewhere.test",
                    "mx-host": ["*.elsewhere.test"],
                },
                "summary": {"total-successful-session-count": 5, "total-failure-session-count": 2},
                "failure-details": [
                    {
                        "result-type": "certificate-expired",
                        "receiving-mx-hostname": "mx.elsewhere.test",
                        "failed-session-count": 2,
                    }
                ],
            }
        ],
    }


def test_what_was_written_is_read() -> None:
    assert read_report(write_report(REPORT)) == REPORT
    assert read_report(gzip.decompress(write_report(REPORT))) == REPORT


@pytest.mark.parametrize("name", ["rpt01", "rpt02", "rpt03"])
def test_reports_of_others_are_read(name: str) -> None:
    report = read_report((VECTORS / f"{name}.json").read_bytes())
    assert sum(p.summary.total_successful_session_count for p in report.policies) > 0


@pytest.mark.parametrize("name", ["rpt01", "rpt02"])
def test_they_are_in_their_messages(name: str) -> None:
    octets = (VECTORS / f"{name}.eml").read_bytes()
    part = parse_parts(octets).children[1]
    content = decode(octets[part.body_start : part.body_end], part.encoding)
    expected = read_report((VECTORS / f"{name}.json").read_bytes())
    assert read_report(content) == expected


def test_a_bomb_is_not_inflated() -> None:
    bomb = gzip.compress(b" " * (30 * 1024 * 1024))
    with pytest.raises(BadReport, match="inflates to more than"):
        read_report(bomb)
    assert inflate.most_of(len(bomb)) < 4 * 1024 * 1024


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"{}",
        b"junk",
        gzip.compress(b"{}", mtime=0),
        gzip.compress(b"[" * 100_000, mtime=0),
        write_report(REPORT)[:-9],
        gzip.compress(gzip.decompress(write_report(REPORT)).replace(b":5", b":-5")),
        gzip.compress(gzip.decompress(write_report(REPORT)).replace(b"2026-01-01T", b"yesterday")),
    ],
    ids=["nothing", "no members", "junk", "nothing in gzip", "deep", "cut off", "negative", "no date"],
)
def test_what_is_none_is_refused(octets: bytes) -> None:
    with pytest.raises(BadReport):
        read_report(octets)
