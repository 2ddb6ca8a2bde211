"""TLS reports in the shapes in which others write them, right or wrong (RFC 8460 §4.4)."""

import copy
import gzip
import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from postroad.mailauth.inflate import BadReport
from postroad.mailauth.tlsrpt import Report, read_report

# As Google writes it.
GOOGLE: Final[dict[str, Any]] = {
    "organization-name": "Google Inc.",
    "date-range": {"start-datetime": "2026-11-27T00:00:00Z", "end-datetime": "2026-11-27T23:59:59Z"},
    "contact-info": "smtp-tls-reporting@google.com",
    "report-id": "2026-11-27T00:00:00Z_ours.test",
    "policies": [
        {
            "policy": {
                "policy-type": "sts",
                "policy-string": ["version: STSv1", "mode: enforce", "mx: mx.ours.test", "max_age: 604800"],
                "policy-domain": "ours.test",
                "mx-host": ["mx.ours.test"],
            },
            "summary": {"total-successful-session-count": 7, "total-failure-session-count": 2},
            "failure-details": [
                {
                    "result-type": "certificate-expired",
                    "sending-mta-ip": "2001:db8::1",
                    "receiving-ip": "192.0.2.25",
                    "receiving-mx-hostname": "mx.ours.test",
                    "failed-session-count": 2,
                }
            ],
        }
    ],
}


def changed(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> bytes:
    """With something done to the report, or to its one policy."""
    report = copy.deepcopy(GOOGLE)
    change(report, report["policies"][0])
    return json.dumps(report).encode()


def gist(report: Report) -> object:
    (policy,) = report.policies
    (detail,) = policy.failure_details
    return (
        report.date_range.seconds(),
        policy.policy.policy_domain,
        policy.summary.total_successful_session_count,
        (detail.result_type, detail.failed_session_count),
    )


EXPECTED: Final = ((1795737600.0, 1795823999.0), "ours.test", 7, ("certificate-expired", 2))
PLAIN: Final = json.dumps(GOOGLE).encode()
TIMES: Final = ("start-datetime", "end-datetime")


def no_zone(report: dict[str, Any], _: object) -> None:
    report["date-range"] = {name: report["date-range"][name].rstrip("Z") for name in TIMES}


def another_zone(report: dict[str, Any], _: object) -> None:
    report["date-range"] = dict(
        zip(TIMES, ("2026-11-27T01:00:00+01:00", "2026-11-28T00:59:59+01:00"), strict=True)
    )


@pytest.mark.parametrize(
    "octets",
    [
        PLAIN,
        gzip.compress(PLAIN),
        b"\xef\xbb\xbf" + PLAIN,
        json.dumps(GOOGLE, indent=4).encode(),
        changed(no_zone),
        changed(another_zone),
        changed(lambda _, policy: policy["policy"].update({"mx-host": "mx.ours.test"})),
        changed(lambda _, policy: policy["policy"].update({"policy-string": "v=STSv1", "mx-host": None})),
        changed(lambda _, policy: policy["summary"].update({"total-successful-session-count": "7"})),
        changed(lambda _, policy: policy["failure-details"][0].update({"failure-reason-code": None})),
        changed(lambda _, policy: policy["failure-details"][0].update({"x-new": {"a": [1]}})),
        changed(lambda report, _: report.pop("contact-info")),
        changed(lambda report, _: report.pop("report-id")),
        changed(lambda report, _: report["policies"].append(None)),
    ],
    ids=[
        *("as it is", "gzip", "a mark in front", "indented", "no zone", "another zone", "one host"),
        *("one string, no host", "a count in quotes", "null for nothing", "more fields", "no contact"),
        *("no id", "null for a policy"),
    ],
)
def test_however_it_is_written(octets: bytes) -> None:
    assert gist(read_report(octets)) == EXPECTED


def test_nothing_for_null_lists() -> None:
    """Go writes an empty list as null."""
    report = read_report(changed(lambda _, policy: policy.update({"failure-details": None})))
    assert report.policies[0].failure_details == []
    assert read_report(changed(lambda report, _: report.update({"policies": None}))).policies == []


@pytest.mark.parametrize(
    "octets",
    [
        changed(lambda report, _: report.pop("date-range")),
        changed(lambda report, _: report.pop("organization-name")),
        changed(lambda _, policy: policy.pop("policy")),
        changed(lambda _, policy: policy["summary"].update({"total-successful-session-count": "many"})),
        changed(lambda _, policy: policy["summary"].update({"total-successful-session-count": 1e300})),
        json.dumps([GOOGLE]).encode(),
        PLAIN.decode().encode("utf-16"),
        PLAIN[:-10],
        b"[" * 1_000_000,
        b"[" + b"[]," * 2_000_000 + b"[]]",
    ],
    ids=[
        *("no time", "nobody's", "no policy", "a word for a count", "too many", "a list", "UTF-16"),
        *("cut off", "deep", "large and something else"),
    ],
)
def test_what_cannot_be_understood_is_refused(octets: bytes) -> None:
    with pytest.raises(BadReport):
        read_report(octets)
