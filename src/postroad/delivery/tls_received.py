"""TLS reports of others about our domains, read as their mail comes in (RFC 8460 §5.3)."""

from collections.abc import Collection
from functools import partial
from typing import Final

import msgspec

from postroad.db.database import Database
from postroad.db.transaction import Reader, Transaction
from postroad.delivery.report_received import (
    KEPT_SECONDS,
    PER_DOMAIN,
    TEXT,
    attached_report,
    keep_what_is_read,
)
from postroad.directory.resolve import is_local_domain
from postroad.mailauth.tlsrpt import Detail, Policy, Report, read_report
from postroad.model.octets import Octets
from postroad.obs.log import log

DETAILS: Final = 20
"""Kinds of failures that are kept of a policy: those with the most sessions."""
_TYPES: Final = frozenset(
    {"application/tlsrpt+gzip", "application/tlsrpt+json"}
    | {"application/gzip", "application/x-gzip", "application/json", "application/octet-stream"}
)
_ENDINGS: Final = (".json", ".json.gz", ".gz")


def is_tls_report(header: bytes) -> bool:
    """Whether a message says that it is one; asked of every message that comes in."""
    return b"tlsrpt" in header or b"TLSRPT" in header or b"tls-report-domain" in header.lower()


async def keep_tls_report(database: Database, body: Octets, author: str) -> None:
    """Keep what a message reports about domains of ours; never raises for what is in it.

    `author` is the domain that vouches for the message, if one does (RFC 8460 §3 wants it signed).
    """
    found = await keep_what_is_read(
        database, partial(_read, body), partial(keep_report, author=author), "tlsrpt."
    )
    if found is None:
        return
    report, domains = found
    log.info("tlsrpt.received", organization=report.organization_name[:TEXT], domains=sorted(domains))


def _read(body: Octets) -> Report | None:
    """The first report in a message, if there is one.

    Raises:
        BadReport: there is something that only calls itself one.
    """
    return attached_report(body, _TYPES, _ENDINGS, read_report)


def keep_report(tx: Transaction, report: Report, author: str) -> Collection[str]:
    """Give the domains of ours that it is about, and of which it is kept."""
    domains = set()
    for n, policy in enumerate(report.policies):
        domain = policy.policy.policy_domain.lower().rstrip(".")
        if not is_local_domain(tx, domain) or _count(tx, domain) >= PER_DOMAIN:
            continue
        domains.add(domain)
        period = report.date_range
        tx.run(
            "INSERT OR REPLACE INTO tls_report_in (domain, at, organization, report_id, author, n,"
            " begins, ends, policy, successes, failures, details)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(domain, tx.now, report.organization_name[:TEXT], report.report_id[:TEXT], author, n),
            *period.seconds(),
            *(policy.policy.policy_type[:TEXT], policy.summary.total_successful_session_count),
            *(policy.summary.total_failure_session_count, _details(policy)),
        )
    return domains


def _details(policy: Policy) -> str:
    gravest = sorted(policy.failure_details, key=lambda detail: -detail.failed_session_count)[:DETAILS]
    return msgspec.json.encode([_shortened(detail) for detail in gravest]).decode()


def _shortened(detail: Detail) -> Detail:
    texts = {
        name: value[:TEXT] for name, value in msgspec.structs.asdict(detail).items() if isinstance(value, str)
    }
    return msgspec.structs.replace(detail, **texts)


def _count(reader: Reader, domain: str) -> int:
    count: int = reader.value("SELECT count(*) FROM tls_report_in WHERE domain = ?", domain)
    return count


def forget_old(tx: Transaction) -> None:
    """Drop what came too long ago."""
    tx.run("DELETE FROM tls_report_in WHERE at < ?", tx.now - KEPT_SECONDS)
