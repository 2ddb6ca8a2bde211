"""DMARC reports of others about our domains, read as their mail comes in (RFC 9990 §3.5)."""

import asyncio
from functools import partial
from typing import Final

import msgspec

from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.directory.resolve import is_local_domain
from postroad.mailauth.dmarc.report.read import read_report
from postroad.mailauth.dmarc.report.values import Report
from postroad.mailauth.inflate import BadReport
from postroad.message.header import fields_named
from postroad.message.part import parse_parts
from postroad.message.transfer import decoded_pieces
from postroad.model.octets import Octets
from postroad.model.refusal import Unavailable
from postroad.obs.log import log

ATTACHED_OCTETS: Final = 10 * 1024 * 1024
"""Of a report as it came; a larger one is mail like any other."""
KEPT_DAYS: Final = 90
PER_DOMAIN: Final = 10_000
"""Reports that are kept of one domain: strangers decide how many come."""
FAILURES: Final = 50
"""Rows that are kept of a report: of those that failed, the ones with the most messages."""
_TEXT: Final = 200
_DAY: Final = 86400.0
_TYPES: Final = frozenset(
    {"application/gzip", "application/zip", "application/x-gzip", "application/x-zip-compressed"}
    | {"application/octet-stream", "text/xml", "application/xml"}
)


def is_dmarc_report(header: bytes) -> bool:
    """Whether a message says that it is one; asked of every message that comes in."""
    if b"omain:" not in header:
        return False
    subjects = fields_named(header, (b"subject",))
    return any(b"report domain:" in b" ".join(subject.lower().split()) for subject in subjects)


async def keep_dmarc_report(database: Database, body: Octets, author: str) -> None:
    """Keep what a message reports about a domain of ours; never raises for what is in it.

    `author` is the domain that vouches for the message, if one does.
    """
    try:
        report = await asyncio.to_thread(_read, body)
    except BadReport as error:
        log.info("dmarc.unreadable", reason=str(error))
        return
    if report is None:
        return
    try:
        kept = await database.write(partial(keep_report, report=report, author=author))
    except Unavailable as error:
        log.warning("dmarc.not_kept", error=str(error))
        return
    log.info(
        "dmarc.received", organization=report.organization[:_TEXT], domain=report.published.domain, kept=kept
    )


def _read(body: Octets) -> Report | None:
    """The first report in a message, if there is one.

    Raises:
        BadReport: there is something that only calls itself one.
    """
    waiting = [parse_parts(body)]
    while waiting:
        part = waiting.pop()
        if part.is_multipart:
            waiting += part.children[::-1]
        elif f"{part.type}/{part.subtype}" in _TYPES:
            if part.body_end - part.body_start > ATTACHED_OCTETS:
                raise BadReport("it is too large")
            pieces = decoded_pieces(body, part.body_start, part.body_end, part.encoding)
            return read_report(b"".join(pieces))
    return None


def keep_report(tx: Transaction, report: Report, author: str) -> bool:
    """Whether it is about a domain of ours, and is kept."""
    domain = report.published.domain
    if not is_local_domain(tx, domain):
        return False
    if tx.value("SELECT count(*) FROM dmarc_report_in WHERE domain = ?", domain) >= PER_DOMAIN:
        return False
    passed = sum(count for row, count in report.rows if row.passed)
    failures = sorted([pair for pair in report.rows if not pair[0].passed], key=lambda pair: -pair[1])
    tx.run(
        "INSERT OR REPLACE INTO dmarc_report_in (domain, organization, report_id, at, author, begins, ends,"
        " policy, passed, failed, failures) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(domain, report.organization[:_TEXT], report.report_id[:_TEXT], tx.now, author),
        *(float(report.begin), float(report.end), report.published.p[:_TEXT], passed),
        *(sum(count for _, count in failures), msgspec.json.encode(failures[:FAILURES]).decode()),
    )
    return True


def forget_old(tx: Transaction) -> None:
    """Drop what came too long ago."""
    tx.run("DELETE FROM dmarc_report_in WHERE at < ?", tx.now - KEPT_DAYS * _DAY)
