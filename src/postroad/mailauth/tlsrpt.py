"""TLS reports: where they go, how they are written and read (RFC 8460)."""

import re
from datetime import datetime
from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from postroad.mailauth.inflate import BadReport, gunzip, gzip

POLICIES: Final = 1000
DETAILS: Final = 1000
"""Of one report, that are read."""
ADDRESSES: Final = 5
"""Of one record, that reports go to."""

_VERSION: Final = re.compile(rb"v=TLSRPTv1[ \t]*;")


class DateRange(Struct, frozen=True, rename="kebab"):
    """The time that a report is about."""

    start_datetime: datetime
    end_datetime: datetime


class PolicyPart(Struct, frozen=True, rename="kebab", omit_defaults=True):
    """The policy that was applied (RFC 8460 §4.2)."""

    policy_type: str
    policy_string: list[str] | UnsetType = UNSET
    policy_domain: str = ""
    mx_host: list[str] | str | UnsetType = UNSET
    """A list; some write the only one without brackets."""


class Summary(Struct, frozen=True, rename="kebab"):
    """Sessions."""

    total_successful_session_count: int = 0
    total_failure_session_count: int = 0


class Detail(Struct, frozen=True, rename="kebab", omit_defaults=True):
    """Failures of one kind (RFC 8460 §4.3)."""

    result_type: str
    sending_mta_ip: str = ""
    receiving_mx_hostname: str = ""
    receiving_mx_helo: str = ""
    receiving_ip: str = ""
    failed_session_count: int = 0
    additional_information: str = ""
    failure_reason_code: str = ""


class Policy(Struct, frozen=True, rename="kebab", omit_defaults=True):
    """What became of one policy."""

    policy: PolicyPart
    summary: Summary
    failure_details: list[Detail] = []


class Report(Struct, frozen=True, rename="kebab"):
    """A whole report (RFC 8460 §4.4)."""

    organization_name: str
    date_range: DateRange
    contact_info: str
    report_id: str
    policies: list[Policy]


def report_addresses(records: tuple[bytes, ...]) -> tuple[str, ...]:
    """The URIs in the TXT records of `_smtp._tls`; none where there is no valid record (RFC 8460 §3).

    Exactly one record may begin with the version.
    """
    ours = [record for record in records if _VERSION.match(record)]
    if len(ours) != 1:
        return ()
    for field in ours[0].split(b";")[1:]:
        name, _, value = field.partition(b"=")
        if name.strip(b" \t") != b"rua":
            continue
        uris = [uri.strip(b" \t").decode("ascii", "replace") for uri in value.split(b",")]
        usable = [uri for uri in uris if uri.lower().startswith(("mailto:", "https:"))]
        return tuple(dict.fromkeys(usable))[:ADDRESSES]
    return ()


def write_report(report: Report) -> bytes:
    """The report as it is sent: JSON, compressed with gzip (RFC 8460 §5.2)."""
    return gzip(msgspec.json.encode(report))


def read_report(octets: bytes, *, compressed: bool) -> Report:
    """Read a report, wherever it came from: it takes no more memory than `inflate.MOST` says.

    Raises:
        BadReport
    """
    try:
        report = msgspec.json.decode(gunzip(octets) if compressed else octets, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadReport(f"it is no TLS report: {str(error)[:200]}") from None
    if len(report.policies) > POLICIES or any(len(p.failure_details) > DETAILS for p in report.policies):
        raise BadReport("it is about too much at once")
    if any(count < 0 or count > 2**53 for count in _counts(report)):
        raise BadReport("a count in it is none")
    return report


def _counts(report: Report) -> list[int]:
    counts = []
    for policy in report.policies:
        summary = policy.summary
        counts += [summary.total_successful_session_count, summary.total_failure_session_count]
        counts += [detail.failed_session_count for detail in policy.failure_details]
    return counts
