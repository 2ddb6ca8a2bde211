"""Reports to other domains of how TLS with their servers went, a day at a time (RFC 8460)."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from urllib.parse import unquote

import msgspec
from msgspec import UNSET

from postroad.db.database import Database
from postroad.db.transaction import Reader, Transaction
from postroad.delivery.demands import Applied
from postroad.delivery.own_mail import OwnMail, Sign, post_own, unsigned
from postroad.delivery.report_mail import (
    AT_ONCE,
    Attached,
    finished_days,
    is_time,
    own_domain,
    report_message,
)
from postroad.delivery.tls_results import Failure
from postroad.mailauth.tlsrpt import (
    DateRange,
    Detail,
    Policy,
    PolicyPart,
    Report,
    Summary,
    report_addresses,
    write_report,
)
from postroad.message.compose import field
from postroad.model.address import Address, AddressError, parse_mailbox
from postroad.model.answers import Found, TemporaryFailure
from postroad.model.clock import Clock
from postroad.model.envelope import Wish
from postroad.model.resolver import Resolver
from postroad.net.outward import HttpsTrouble, Outward
from postroad.obs.log import log
from postroad.store.errors import StoreError
from postroad.store.prepare import prepare_now

RETRY_SECONDS: Final = 900.0
"""Until a web server that did not take a report is asked again; doubles each time …"""
LIFETIME_SECONDS: Final = 86400.0
"""… and for so long in all (RFC 8460 §5.5)."""
POST_SECONDS: Final = 60.0
ANSWER_OCTETS: Final = 64 * 1024


class TlsReports:
    """Writes and sends what is due; one worker of all does it."""

    def __init__(
        self,
        database: Database,
        resolver: Resolver,
        outward: Outward,
        clock: Clock,
        hostname: str,
        sign: Sign = unsigned,
    ) -> None:
        self._database = database
        self._resolver = resolver
        self._outward = outward
        self._clock = clock
        self._hostname = hostname
        self._sign = sign

    async def send_due(self) -> int:
        """Report the days that are over; give how many reports were sent or are on their way."""
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        count = 0
        if is_time(self._hostname, now):
            today = now.date().isoformat()
            for domain, day in self._database.read(partial(finished_days, table="tls_result", today=today)):
                count += await self._report(domain, day, now)
        await self._post_due()
        return count

    async def _report(self, domain: str, day: str, now: datetime) -> int:
        records = await self._resolver.txt(f"_smtp._tls.{domain}")
        begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
        if isinstance(records, TemporaryFailure) and now - begin < timedelta(days=2):
            return 0  # it is tried again
        uris = report_addresses(records.records) if isinstance(records, Found) else ()
        token = secrets.token_hex(12)
        submitter = self._database.read(own_domain) or self._hostname
        rows = self._database.read(partial(_results, domain=domain, day=day)) if uris else []
        report = _compose(domain, begin, rows, submitter, f"{day}-{domain}-{token[:8]}")
        octets = write_report(report) if uris else b""
        made = [_mail(uri, report, octets, domain, submitter, token, now, sign=self._sign) for uri in uris]

        def finish(tx: Transaction) -> None:
            for mail in made:
                if mail is not None:
                    post_own(tx, mail)
            for uri in uris:
                if uri.lower().startswith("https:"):
                    _keep(tx, domain, uri, octets)
            tx.run("DELETE FROM tls_result WHERE domain = ? AND day = ?", domain, day)

        try:
            await self._database.write(finish)
        except StoreError as error:
            log.warning("tlsrpt.not_sent", domain=domain, error=str(error))
            return 0
        if uris:
            log.info("tlsrpt.sent", domain=domain, day=day, to=list(uris))
        return len(uris)

    # -- by HTTPS (RFC 8460 §5.4) -----------------------------------------------------

    async def _post_due(self) -> None:
        for number, domain, uri, octets, tries in self._database.read(partial(_due, now=self._clock.now())):
            trouble = await self._post(uri, octets)
            if not trouble:
                log.info("tlsrpt.posted", domain=domain, uri=uri)
                await self._database.write(partial(_done, number=number))
            else:
                log.info("tlsrpt.not_posted", domain=domain, uri=uri, reason=trouble)
                await self._database.write(partial(_later, number=number, tries=tries + 1))

    async def _post(self, uri: str, octets: bytes) -> str:
        """Hand a report to a web server; give what is wrong, if anything."""
        try:
            answer = await self._outward.ask(
                "POST",
                uri,
                most=ANSWER_OCTETS,
                timeout=POST_SECONDS,
                octets=octets,
                headers={"Content-Type": "application/tlsrpt+gzip"},
            )
        except HttpsTrouble as error:
            return str(error)
        return "" if 200 <= answer.status < 300 else f"status {answer.status}"


# -- what it says ---------------------------------------------------------------------


def _compose(
    domain: str, begin: datetime, rows: Iterable[tuple[str, str, int]], submitter: str, number: str
) -> Report:
    policies: dict[str, list[tuple[str, int]]] = {}
    for policy, failure, sessions in rows:
        policies.setdefault(policy, []).append((failure, sessions))
    return Report(
        organization_name=submitter,
        date_range=DateRange(begin, begin + timedelta(days=1, seconds=-1)),
        contact_info=f"postmaster@{submitter}",
        report_id=number,
        policies=[_policy(domain, policy, results) for policy, results in policies.items()],
    )


def _policy(domain: str, text: str, results: Sequence[tuple[str, int]]) -> Policy:
    applied = msgspec.json.decode(text, type=Applied)
    failures = [(msgspec.json.decode(f, type=Failure), n) for f, n in results if f]
    return Policy(
        PolicyPart(
            applied.kind,
            list(applied.strings) if applied.strings else UNSET,
            domain,
            list(applied.mx) if applied.mx else UNSET,
        ),
        Summary(sum(n for f, n in results if not f), sum(n for _, n in failures)),
        [
            Detail(
                result_type=failure.result,
                sending_mta_ip=failure.source,
                receiving_mx_hostname=failure.host,
                receiving_ip=failure.address,
                failed_session_count=count,
                additional_information=failure.text,
                failure_reason_code=failure.code,
            )
            for failure, count in failures
        ],
    )


def _mail(
    uri: str,
    report: Report,
    octets: bytes,
    domain: str,
    submitter: str,
    token: str,
    now: datetime,
    *,
    sign: Sign,
) -> OwnMail | None:
    """The report as a signed message (RFC 8460 §5.3, §3); None where the URI is none of mail."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() != "mailto":
        return None
    try:
        to = parse_mailbox(unquote(rest.partition("?")[0]))
    except AddressError:
        return None
    message = sign(_message(to, report, octets, domain, submitter, token, now))
    # RFC 8460 §3: a report of what is wrong must not fail for what is wrong.
    return OwnMail(None, to, prepare_now(message), "7BIT", Wish.WAIVED)


def _message(
    to: Address, report: Report, octets: bytes, domain: str, submitter: str, token: str, now: datetime
) -> bytes:
    begin, end = report.date_range.start_datetime, report.date_range.end_datetime
    name = f"{submitter}!{domain}!{int(begin.timestamp())}!{int(end.timestamp())}.json.gz"
    return report_message(
        to,
        Attached("application/tlsrpt+gzip", name, octets, 'report; report-type="tlsrpt"'),
        about=domain,
        submitter=submitter,
        report_id=report.report_id,
        token=token,
        now=now,
        text=f"This is a TLS report (RFC 8460) of {submitter} about {domain}, for {begin.date()} (UTC).\n",
        fields=[
            field("TLS-Report-Domain", domain),
            field("TLS-Report-Submitter", submitter),
            field("TLS-Required", "No"),
        ],
    )


# -- the tables -------------------------------------------------------------------------


def _results(reader: Reader, domain: str, day: str) -> list[tuple[str, str, int]]:
    rows = reader.rows(
        "SELECT policy, failure, sessions FROM tls_result WHERE domain = ? AND day = ?", domain, day
    )
    return [(policy, failure, sessions) for policy, failure, sessions in rows]


def _keep(tx: Transaction, domain: str, uri: str, octets: bytes) -> None:
    tx.run(
        "INSERT INTO tls_report_out (domain, uri, octets, due, expires) VALUES (?, ?, ?, ?, ?)",
        *(domain, uri, octets, tx.now, tx.now + LIFETIME_SECONDS),
    )


def _due(reader: Reader, now: float) -> list[tuple[int, str, str, bytes, int]]:
    rows = reader.rows(
        "SELECT id, domain, uri, octets, tries FROM tls_report_out WHERE due <= ? ORDER BY due LIMIT ?",
        *(now, AT_ONCE),
    )
    return [(number, domain, uri, octets, tries) for number, domain, uri, octets, tries in rows]


def _done(tx: Transaction, number: int) -> None:
    tx.run("DELETE FROM tls_report_out WHERE id = ?", number)


def _later(tx: Transaction, number: int, tries: int) -> None:
    due = tx.now + RETRY_SECONDS * 2.0 ** min(tries - 1, 10)
    tx.run("UPDATE tls_report_out SET due = ?, tries = ? WHERE id = ?", due, tries, number)
    tx.run("DELETE FROM tls_report_out WHERE id = ? AND due > expires", number)
