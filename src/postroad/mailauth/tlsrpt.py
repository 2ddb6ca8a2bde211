"""TLS reports: where they go, how they are written and read (RFC 8460)."""

import re
from codecs import BOM_UTF8
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from postroad.mailauth.inflate import MAGIC, BadReport, gunzip, gzip, most_of

POLICIES: Final = 1000
DETAILS: Final = 1000
"""Of one report, that are read."""
ADDRESSES: Final = 5
"""Of one record, that reports go to."""

_VERSION: Final = re.compile(rb"v=TLSRPTv1[ \t]*;")
_NAME: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_VALUE: Final = re.compile(rb"[!-:<>-~]+")  # printable but ";" and "="
_URI: Final = re.compile(rb"(?i:mailto|https):[!-~]{1,2000}")


class DateRange(Struct, frozen=True, rename="kebab"):
    """The time that a report is about."""

    start_datetime: datetime
    end_datetime: datetime

    def seconds(self) -> tuple[float, float]:
        """Both since the epoch."""
        start, end = (
            one if one.tzinfo is not None else one.replace(tzinfo=UTC)
            for one in (self.start_datetime, self.end_datetime)
        )
        return start.timestamp(), end.timestamp()


class PolicyPart(Struct, frozen=True, rename="kebab", omit_defaults=True):
    """The policy that was applied (RFC 8460 §4.2)."""

    policy_type: str
    policy_string: list[str] | str | UnsetType = UNSET
    policy_domain: str = ""
    mx_host: list[str] | str | UnsetType = UNSET
    """Lists; some write the only one without brackets."""


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
    summary: Summary = Summary()
    failure_details: list[Detail] = []


class Report(Struct, frozen=True, rename="kebab"):
    """A whole report (RFC 8460 §4.4)."""

    organization_name: str
    date_range: DateRange
    contact_info: str = ""
    report_id: str = ""
    policies: list[Policy] = []


_DECODER: Final = msgspec.json.Decoder(Report, strict=False)
_REPAIRABLE: Final = 1024 * 1024
"""Octets up to which a report with nulls is read: for that all of it is taken apart, whatever it is."""


def report_addresses(records: tuple[bytes, ...]) -> tuple[str, ...]:
    """The URIs in the TXT records of `_smtp._tls`; none where there is no valid record (RFC 8460 §3).

    Exactly one record may begin with the version, and all of its fields have to be some.
    """
    ours = [record for record in records if _VERSION.match(record)]
    if len(ours) != 1:
        return ()
    fields = [field.strip(b" \t") for field in ours[0].split(b";")]
    if not fields[-1]:
        fields.pop()  # the delimiter at the end is optional
    found: list[str] | None = None
    for field in fields[1:]:
        name, _, value = (part.strip(b" \t") for part in field.partition(b"="))
        if name != b"rua":
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
                return ()
        elif found is None:
            uris = [uri.strip(b" \t") for uri in value.split(b",")]
            found = [uri.decode() for uri in uris if _URI.fullmatch(uri)]
    return tuple(dict.fromkeys(found or ()))[:ADDRESSES]


def write_report(report: Report) -> bytes:
    """The report as it is sent: JSON, compressed with gzip (RFC 8460 §5.2)."""
    return gzip(msgspec.json.encode(report))


def read_report(octets: bytes) -> Report:
    """Read a report, compressed or not, wherever it came from: what it inflates to is bounded.

    What others do is borne: null for what they leave out, numbers in quotes, a list of one
    without its brackets, times without a zone (which are UTC, RFC 8460 §4.2).

    Raises:
        BadReport
    """
    plain = gunzip(octets) if octets.startswith(MAGIC) else octets
    if len(plain) > most_of(len(octets)):
        raise BadReport("it is too large")
    try:
        report = _decoded(plain.removeprefix(BOM_UTF8))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadReport(f"it is no TLS report: {str(error)[:200]}") from None
    if len(report.policies) > POLICIES or any(len(p.failure_details) > DETAILS for p in report.policies):
        raise BadReport("it is about too much at once")
    if any(count < 0 or count > 2**53 for count in _counts(report)):
        raise BadReport("a count in it is none")
    return report


def _decoded(plain: bytes) -> Report:
    try:
        return _DECODER.decode(plain)
    except msgspec.ValidationError:
        if len(plain) > _REPAIRABLE:
            raise
    return msgspec.convert(_without_nulls(msgspec.json.decode(plain)), type=Report, strict=False)


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nulls(one) for one in value if one is not None]
    return value


def _counts(report: Report) -> list[int]:
    counts = []
    for policy in report.policies:
        summary = policy.summary
        counts += [summary.total_successful_session_count, summary.total_failure_session_count]
        counts += [detail.failed_session_count for detail in policy.failure_details]
    return counts
