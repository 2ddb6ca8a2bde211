"""Reports to other domains of what DMARC said of mail in their name, a day at a time (RFC 9990)."""

import asyncio
import hashlib
import secrets
from base64 import encodebytes
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Final

import msgspec

from postroad import __version__
from postroad.db.database import Database
from postroad.db.transaction import Reader, Transaction
from postroad.delivery.dmarc_received import keep_report
from postroad.delivery.own_mail import OwnMail, post_own
from postroad.delivery.sender_auth.results import Wanted
from postroad.delivery.signing import Signer
from postroad.dns.bounded import BoundedResolver
from postroad.mailauth.dmarc.destinations import destinations
from postroad.mailauth.dmarc.report.values import Report, Row
from postroad.mailauth.dmarc.report.write import write_report
from postroad.message.compose import (
    Person,
    address_field,
    choose_boundary,
    date_field,
    field,
    message_id_field,
    text_body,
    text_field,
)
from postroad.model.address import Address, parse_mailbox
from postroad.model.answers import TemporaryFailure
from postroad.model.clock import Clock
from postroad.model.resolver import Resolver
from postroad.obs.log import log
from postroad.store.errors import StoreError
from postroad.store.prepare import prepare_now

FIRST_SECONDS: Final = 1800
"""After midnight (UTC) until reports are sent at the earliest: all workers have written their counts."""
SPREAD_SECONDS: Final = 12_600
"""Within so long after that they are sent, at a moment of this server's own."""
QUESTIONS: Final = 100
"""To the DNS, about where one report may go."""
SECONDS: Final = 30.0
AT_ONCE: Final = 200
"""Domains in one go."""


class DmarcReports:
    """Writes and sends what is due; one worker of all does it."""

    def __init__(
        self, database: Database, resolver: Resolver, signer: Signer, clock: Clock, hostname: str
    ) -> None:
        self._database = database
        self._resolver = resolver
        self._signer = signer
        self._clock = clock
        self._hostname = hostname

    async def send_due(self) -> int:
        """Report the days that are over; give how many reports are on their way."""
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        if now - datetime.combine(now.date(), time(), UTC) < self._offset(now.date()):
            return 0
        today = now.date().isoformat()
        count = 0
        for domain, day in self._database.read(partial(_finished, today=today)):
            count += await self._report(domain, day, now)
        return count

    def _offset(self, day: date) -> timedelta:
        """This server's moment of the day: not everybody's, and the same after a restart."""
        digest = hashlib.sha256(f"dmarc {self._hostname} {day}".encode()).digest()
        return timedelta(seconds=FIRST_SECONDS + int.from_bytes(digest[:4]) % SPREAD_SECONDS)

    async def _report(self, domain: str, day: str, now: datetime) -> int:
        begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
        submitter = self._database.read(_own_domain) or self._hostname
        mails: list[OwnMail] = []
        reports: list[Report] = []
        results = await self._database.read_long(partial(_results, domain=domain, day=day))
        for policy, rows in results.items():
            wanted = msgspec.json.decode(policy, type=Wanted)
            purse = BoundedResolver(self._resolver, questions=QUESTIONS, seconds=SECONDS)
            addresses = await destinations(purse, domain, map(parse_mailbox, wanted.reports))
            if isinstance(addresses, TemporaryFailure):
                if now - begin < timedelta(days=3):
                    return 0  # it is tried again
                continue
            token = secrets.token_hex(12)
            report = Report(
                submitter,
                f"postmaster@{submitter}",
                f"{token}@{submitter}",
                int(begin.timestamp()),
                int((begin + timedelta(days=1)).timestamp()) - 1,
                wanted.published,
                tuple(rows),
            )
            reports.append(report)
            # A report of thousands of rows takes a while to write and to pack.
            packed = await asyncio.to_thread(write_report, report, f"postroad {__version__}")
            mails += [self._mail(to, report, packed, submitter, token, now) for to in addresses]

        def finish(tx: Transaction) -> None:
            for mail in mails:
                post_own(tx, mail)
            for report in reports:
                keep_report(tx, report, submitter)  # about a domain of ours, which nobody else tells us
            tx.run("DELETE FROM dmarc_result WHERE domain = ? AND day = ?", domain, day)

        try:
            await self._database.write(finish)
        except StoreError as error:
            log.warning("dmarc.not_reported", domain=domain, error=str(error))
            return 0
        if mails:
            log.info("dmarc.reported", domain=domain, day=day, to=[str(mail.to) for mail in mails])
        return len(mails)

    def _mail(
        self, to: Address, report: Report, packed: bytes, submitter: str, token: str, now: datetime
    ) -> OwnMail:
        message = self._signer.signed(_message(to, report, packed, submitter, token, now))
        return OwnMail(None, to, prepare_now(message), "7BIT")


def _message(to: Address, report: Report, packed: bytes, submitter: str, token: str, now: datetime) -> bytes:
    """The report as a message (RFC 9990 §3.5)."""
    domain = report.published.domain
    name = f"{submitter}!{domain}!{report.begin}!{report.end}!{token}.xml.gz"
    day = datetime.fromtimestamp(report.begin, UTC).date()
    human = text_body(
        f"This is a DMARC aggregate report (RFC 9990) of {submitter} about mail in the name of {domain},\n"
        f"received on {day} (UTC).\n"
    )
    attached = (
        b"Content-Type: application/gzip\r\n"
        + b"Content-Transfer-Encoding: base64\r\n"
        + field("Content-Disposition", f'attachment; filename="{name}"')
        + b"\r\n"
        + encodebytes(packed).replace(b"\n", b"\r\n")
    )
    boundary = choose_boundary(token, human, attached)
    header = [
        date_field(now),
        address_field("From", [Person(f"postmaster@{submitter}", "Mail Delivery")]),
        address_field("To", [Person(str(to))]),
        text_field(
            "Subject", f"Report Domain: {domain} Submitter: {submitter} Report-ID: <{report.report_id}>"
        ),
        message_id_field(token, submitter),
        field("Auto-Submitted", "auto-generated"),
        field("MIME-Version", "1.0"),
        field("Content-Type", f'multipart/mixed; boundary="{boundary}"'),
    ]
    delimiter = b"--" + boundary.encode()
    bodies = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in (human, attached))
    return b"".join(header) + b"\r\n" + bodies + delimiter + b"--\r\n"


def _finished(reader: Reader, today: str) -> list[tuple[str, str]]:
    rows = reader.rows(
        "SELECT DISTINCT domain, day FROM dmarc_result WHERE day < ? ORDER BY day, domain LIMIT ?",
        *(today, AT_ONCE),
    )
    return [(domain, day) for domain, day in rows]


def _results(reader: Reader, domain: str, day: str) -> dict[str, list[tuple[Row, int]]]:
    found: dict[str, list[tuple[Row, int]]] = {}
    for policy, row, messages in reader.rows(
        "SELECT policy, row, messages FROM dmarc_result WHERE domain = ? AND day = ?", domain, day
    ):
        found.setdefault(policy, []).append((msgspec.json.decode(row, type=Row), messages))
    return found


def _own_domain(reader: Reader) -> str | None:
    """The domain in whose name reports are written."""
    name: str | None = reader.value("SELECT name FROM domain ORDER BY id LIMIT 1")
    return name
