"""Reports to other domains of what DMARC said of mail in their name, a day at a time (RFC 9990)."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import msgspec

from postroad import __version__
from postroad.db.database import Database
from postroad.db.transaction import Reader, Transaction
from postroad.delivery.dmarc_received import keep_report
from postroad.delivery.own_mail import OwnMail, post_own
from postroad.delivery.report_mail import Attached, finished_days, is_time, own_domain, report_message
from postroad.delivery.sender_auth.results import Wanted
from postroad.delivery.signing import Signer
from postroad.dns.bounded import BoundedResolver
from postroad.mailauth.dmarc.destinations import destinations
from postroad.mailauth.dmarc.report.values import Report, Row
from postroad.mailauth.dmarc.report.write import write_report
from postroad.model.address import Address, parse_mailbox
from postroad.model.answers import TemporaryFailure
from postroad.model.clock import Clock
from postroad.model.resolver import Resolver
from postroad.obs.log import log
from postroad.store.errors import StoreError
from postroad.store.prepare import prepare_now

QUESTIONS: Final = 100
"""To the DNS, about where one report may go."""
SECONDS: Final = 30.0


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
        if not is_time(f"dmarc {self._hostname}", now):
            return 0
        today = now.date().isoformat()
        count = 0
        for domain, day in self._database.read(partial(finished_days, table="dmarc_result", today=today)):
            count += await self._report(domain, day, now)
        return count

    async def _report(self, domain: str, day: str, now: datetime) -> int:
        begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
        submitter = self._database.read(own_domain) or self._hostname
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
    return report_message(
        to,
        Attached("application/gzip", name, packed),
        about=domain,
        submitter=submitter,
        report_id=report.report_id,
        token=token,
        now=now,
        text=(
            f"This is a DMARC aggregate report (RFC 9990) of {submitter} about mail in the name of"
            f" {domain},\nreceived on {day} (UTC).\n"
        ),
    )


def _results(reader: Reader, domain: str, day: str) -> dict[str, list[tuple[Row, int]]]:
    found: dict[str, list[tuple[Row, int]]] = {}
    for policy, row, messages in reader.rows(
        "SELECT policy, row, messages FROM dmarc_result WHERE domain = ? AND day = ?", domain, day
    ):
        found.setdefault(policy, []).append((msgspec.json.decode(row, type=Row), messages))
    return found
