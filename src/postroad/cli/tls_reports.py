"""What other servers report of sessions with ours, put into words for `postroad report tls`."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from postroad.cli.output import Column
from postroad.cli.reported import left_out, rows_since
from postroad.cli.times import date
from postroad.db.transaction import Reader
from postroad.mailauth.tlsrpt import Detail
from postroad.model.address import unicode_domain
from postroad.model.counted import counted

COLUMNS: Final = [
    Column("SESSIONS", "right"),
    Column("WHY", cut=True),
    Column("SERVER", cut=True),
    Column("BY", cut=True),
]
_WHY: Final = {
    "starttls-not-supported": "our server did not offer TLS",
    "certificate-host-mismatch": "our certificate is not for the name of the server",
    "certificate-expired": "our certificate had expired",
    "certificate-not-trusted": "our certificate is not trusted, or not the one in the TLSA record",
    "validation-failure": "TLS failed for another reason",
    "tlsa-invalid": "none of our TLSA records can be used",
    "dnssec-invalid": "our DNS could not be validated",
    "dane-required": "our TLSA records are missing",
    "sts-policy-fetch-error": "our MTA-STS policy could not be fetched",
    "sts-policy-invalid": "our MTA-STS policy is not valid",
    "sts-webpki-invalid": "the web server of our MTA-STS policy has no good certificate",
}


@dataclass
class Reported:
    """What was reported about one domain."""

    name: str
    successes: int = 0
    failures: int = 0
    doubtful: int = 0
    """Sessions in reports that nobody vouches for; not counted."""
    reasons: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Sessions by reason, host and reporter."""
    reporters: set[str] = field(default_factory=set)
    latest: float = 0.0


def read(reader: Reader, name: str | None, since: float) -> list[Reported]:
    """What was reported since then, of one domain or of all, by name."""
    columns = "domain, at, organization, author, successes, failures, details"
    rows = rows_since(reader, "tls_report_in", columns, name, since)
    found: dict[str, Reported] = {}
    for domain, at, organization, author, successes, failures, details in rows:
        one = found.setdefault(domain, Reported(domain))
        if not author:
            one.doubtful += successes + failures
            continue
        one.successes += successes
        one.failures += failures
        one.reporters.add(organization)
        one.latest = max(one.latest, at)
        for detail in msgspec.json.decode(details, type=list[Detail]):
            key = detail.result_type, detail.receiving_mx_hostname, organization
            one.reasons[key] += detail.failed_session_count
    return list(found.values())


def conclusion(one: Reported, days: int) -> str:
    """The first sentence says how it is."""
    name, sessions = unicode_domain(one.name), one.successes + one.failures
    period = f"in the last {counted(days, 'day')}"
    aside = left_out(one.doubtful, "session")
    if not one.reporters:
        return f"{name}: nothing that can be believed was reported {period}.{aside}"
    said = f"say {counted(len(one.reporters), 'server operator')}, the last on {date(one.latest)}"
    if not one.failures:
        return (
            f"{name}: all {counted(sessions, 'session')} had the TLS that they should have {period},"
            f" {said}.{aside}"
        )
    return f"{name}: {one.failures} of {counted(sessions, 'session')} failed {period}, {said}.{aside}"


def table(one: Reported) -> list[tuple[int, str, str, str]]:
    """What went wrong, where, and who says so."""
    return [
        (count, _WHY.get(reason, reason), host or "any", by)
        for (reason, host, by), count in one.reasons.most_common()
    ]


def facts(one: Reported) -> dict[str, Any]:
    """All of it as plain values."""
    return {
        "domain": one.name,
        "successes": one.successes,
        "failures": one.failures,
        "unvouched": one.doubtful,
        "reporters": sorted(one.reporters),
        "latest": one.latest,
        "reasons": [
            {"result": result, "host": host, "reporter": by, "sessions": count}
            for (result, host, by), count in one.reasons.most_common()
        ],
    }
