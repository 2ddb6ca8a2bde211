"""TLS reports of others about our domains, read as their mail comes in (RFC 8460 §5.3)."""

import asyncio
from collections.abc import Collection
from functools import partial
from typing import Final

import msgspec

from postroad.db.database import Database
from postroad.db.transaction import Reader, Transaction
from postroad.directory.resolve import is_local_domain
from postroad.mailauth.inflate import BadReport
from postroad.mailauth.tlsrpt import Detail, Policy, Report, read_report
from postroad.message.part import Part, parse_parts
from postroad.message.transfer import decoded_pieces
from postroad.model.octets import Octets
from postroad.model.refusal import Unavailable
from postroad.obs.log import log

ATTACHED_OCTETS: Final = 10 * 1024 * 1024
"""Of a report as it came; a larger one is mail like any other."""
KEPT_DAYS: Final = 90
PER_DOMAIN: Final = 10_000
"""Rows that are kept of one domain: strangers decide how many come."""
DETAILS: Final = 20
"""Kinds of failures that are kept of a policy: those with the most sessions."""
_TEXT: Final = 200
_DAY: Final = 86400.0


def is_tls_report(header: bytes) -> bool:
    """Whether a message says that it is one; asked of every message that comes in."""
    return b"tlsrpt" in header or b"TLSRPT" in header or b"TLS-Report-Domain" in header


async def keep_tls_report(database: Database, body: Octets, author: str) -> None:
    """Keep what a message reports about domains of ours; never raises for what is in it.

    `author` is the domain that vouches for the message, if one does (RFC 8460 §3 wants it signed).
    """
    try:
        report = await asyncio.to_thread(_read, body)
    except BadReport as error:
        log.info("tlsrpt.unreadable", reason=str(error))
        return
    if report is None:
        return
    try:
        domains = await database.write(partial(keep_report, report=report, author=author))
    except Unavailable as error:
        log.warning("tlsrpt.not_kept", error=str(error))
        return
    log.info("tlsrpt.received", organization=report.organization_name[:_TEXT], domains=sorted(domains))


def _read(body: Octets) -> Report | None:
    """The first report in a message, if there is one.

    Raises:
        BadReport: there is something that only calls itself one.
    """
    for part in _leaves(parse_parts(body)):
        if part.type == "application" and part.subtype in ("tlsrpt+gzip", "tlsrpt+json"):
            if part.body_end - part.body_start > ATTACHED_OCTETS:
                raise BadReport("it is too large")
            pieces = decoded_pieces(body, part.body_start, part.body_end, part.encoding)
            return read_report(b"".join(pieces), compressed=part.subtype == "tlsrpt+gzip")
    return None


def _leaves(part: Part) -> list[Part]:
    return [leaf for child in part.children for leaf in _leaves(child)] if part.is_multipart else [part]


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
            *(domain, tx.now, report.organization_name[:_TEXT], report.report_id[:_TEXT], author, n),
            *(period.start_datetime.timestamp(), period.end_datetime.timestamp()),
            *(policy.policy.policy_type[:_TEXT], policy.summary.total_successful_session_count),
            *(policy.summary.total_failure_session_count, _details(policy)),
        )
    return domains


def _details(policy: Policy) -> str:
    gravest = sorted(policy.failure_details, key=lambda detail: -detail.failed_session_count)[:DETAILS]
    return msgspec.json.encode([_shortened(detail) for detail in gravest]).decode()


def _shortened(detail: Detail) -> Detail:
    texts = {
        name: value[:_TEXT]
        for name, value in msgspec.structs.asdict(detail).items()
        if isinstance(value, str)
    }
    return msgspec.structs.replace(detail, **texts)


def _count(reader: Reader, domain: str) -> int:
    count: int = reader.value("SELECT count(*) FROM tls_report_in WHERE domain = ?", domain)
    return count


def forget_old(tx: Transaction) -> None:
    """Drop what came too long ago."""
    tx.run("DELETE FROM tls_report_in WHERE at < ?", tx.now - KEPT_DAYS * _DAY)
