"""DMARC reports of others about our domains, read as their mail comes in (RFC 9990 §3.5)."""

from functools import partial
from typing import Final

import msgspec

from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.delivery.report_received import (
    KEPT_SECONDS,
    PER_DOMAIN,
    TEXT,
    attached_report,
    keep_what_is_read,
)
from postroad.directory.resolve import is_local_domain
from postroad.mailauth.dmarc.report.read import read_report
from postroad.mailauth.dmarc.report.values import Report
from postroad.message.encoded_word import decode_header
from postroad.message.header import fields_named
from postroad.model.octets import Octets
from postroad.obs.log import log

FAILURES: Final = 50
"""Rows that are kept of a report: of those that failed, the ones with the most messages."""
_TYPES: Final = frozenset(
    {"application/gzip", "application/zip", "application/x-gzip", "application/x-zip-compressed"}
    | {"application/x-zip", "application/octet-stream", "text/xml", "application/xml"}
)
_ENDINGS: Final = (".xml", ".xml.gz", ".gz", ".zip")


def is_dmarc_report(header: bytes) -> bool:
    """Whether a message says that it is one; asked of every message that comes in."""
    if b"omain:" not in header and b"=?" not in header:
        return False
    (subject, *_) = fields_named(header, (b"subject",)) or (b"",)
    return "report domain:" in " ".join(decode_header(subject).lower().split())


async def keep_dmarc_report(database: Database, body: Octets, author: str) -> None:
    """Keep what a message reports about a domain of ours; never raises for what is in it.

    `author` is the domain that vouches for the message, if one does.
    """
    found = await keep_what_is_read(
        database, partial(_read, body), partial(keep_report, author=author), "dmarc."
    )
    if found is None:
        return
    report, kept = found
    log.info(
        "dmarc.received", organization=report.organization[:TEXT], domain=report.published.domain, kept=kept
    )


def _read(body: Octets) -> Report | None:
    """The first report in a message, if there is one.

    Raises:
        BadReport: there is something that only calls itself one.
    """
    return attached_report(body, _TYPES, _ENDINGS, read_report)


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
        *(domain, report.organization[:TEXT], report.report_id[:TEXT], tx.now, author),
        *(float(report.begin), float(report.end), report.published.p[:TEXT], passed),
        *(sum(count for _, count in failures), msgspec.json.encode(failures[:FAILURES]).decode()),
    )
    return True


def forget_old(tx: Transaction) -> None:
    """Drop what came too long ago."""
    tx.run("DELETE FROM dmarc_report_in WHERE at < ?", tx.now - KEPT_SECONDS)
