"""DMARC failure reports of others about our domains, read as their mail comes in (RFC 9991)."""

from functools import partial
from typing import Final

from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.delivery.report_received import KEPT_SECONDS, PER_DOMAIN, attached_report, keep_what_is_read
from postroad.directory.resolve import is_local_domain
from postroad.mailauth.dmarc.report.failure import KIND, Failure, read_failure
from postroad.message.header import fields_named
from postroad.model.octets import Octets
from postroad.obs.log import log

_REPORT: Final = b"feedback-report"


def is_failure_report(header: bytes) -> bool:
    """Whether a message says that it is one (or a complaint); asked of every message that comes in."""
    if _REPORT not in header:
        return False
    return any(_REPORT in field.lower() for field in fields_named(header, (b"content-type",)))


async def keep_failure_report(database: Database, body: Octets, author: str) -> None:
    """Keep what a message reports about a domain of ours; never raises for what is in it.

    `author` is the domain that vouches for the message, if one does.
    """
    found = await keep_what_is_read(
        database, partial(_read, body), partial(keep_failure, author=author), "dmarc.failure_"
    )
    if found is None:
        return
    failure, kept = found
    log.info("dmarc.failure_received", domain=failure.domain, source=failure.source, kept=kept)


def _read(body: Octets) -> Failure | None:
    return attached_report(body, {KIND}, (), read_failure)


def keep_failure(tx: Transaction, failure: Failure, author: str) -> bool:
    """Whether it is about a domain of ours, or one below it, and is kept."""
    domain = failure.domain
    while domain and not is_local_domain(tx, domain):
        domain = domain.partition(".")[2]
    if not domain:
        return False
    if tx.value("SELECT count(*) FROM dmarc_failure_in WHERE domain = ?", domain) >= PER_DOMAIN:
        return False
    tx.run(
        "INSERT INTO dmarc_failure_in (domain, at, author, source, sender, failed, unaligned, result,"
        " incidents) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(domain, tx.now, author, failure.source, failure.sender, " ".join(failure.failed)),
        *(" ".join(failure.unaligned), failure.result, failure.incidents),
    )
    return True


def forget_old(tx: Transaction) -> None:
    """Drop what came too long ago."""
    tx.run("DELETE FROM dmarc_failure_in WHERE at < ?", tx.now - KEPT_SECONDS)
