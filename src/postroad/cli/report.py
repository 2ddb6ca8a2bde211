"""`postroad report`: what other servers report about our domains."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import click
import msgspec

from postroad.cli import dmarc_reports
from postroad.cli.database import ask
from postroad.cli.here import Here, common, pass_here
from postroad.cli.output import Column, print_json, print_table
from postroad.cli.times import date
from postroad.db.transaction import Reader
from postroad.directory.domains import domain as find_domain
from postroad.mailauth.tlsrpt import Detail
from postroad.model.address import unicode_domain
from postroad.model.counted import counted

_DAY: Final = 86400.0
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
class _Domain:
    """What was reported about one domain."""

    name: str
    successes: int = 0
    failures: int = 0
    reasons: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Sessions by reason, host and reporter."""
    reporters: set[str] = field(default_factory=set)
    latest: float = 0.0


@click.group(short_help="What other servers report about your domains.")
def report() -> None:
    """What other servers report about your domains."""


@report.command()
@common
@click.argument("domain", required=False)
@click.option(
    "--days", type=click.IntRange(1, 90), default=7, show_default=True, help="How far to look back."
)
@pass_here
def tls(here: Here, domain: str | None, days: int) -> None:
    """Tell how well others could reach DOMAIN (or any) with TLS.

    They report it by mail when _smtp._tls.DOMAIN in the DNS asks for it (RFC 8460).
    """
    since = time.time() - days * _DAY
    found = ask(here, lambda reader: _read(reader, domain, since))
    if here.json:
        print_json([_facts(one) for one in found])
        return
    for one in found:
        here.say(_conclusion(one, days))
        if one.reasons:
            print_table(
                [
                    Column("SESSIONS", "right"),
                    Column("WHY", cut=True),
                    Column("SERVER", cut=True),
                    Column("BY", cut=True),
                ],
                [
                    (count, _WHY.get(reason, reason), host or "any", by)
                    for (reason, host, by), count in one.reasons.most_common()
                ],
            )
    if not found:
        about = f" about {domain}" if domain else ""
        here.say(f"Nobody has reported anything{about} in the last {counted(days, 'day')}.")


@report.command()
@common
@click.argument("domain", required=False)
@click.option(
    "--days", type=click.IntRange(1, 90), default=7, show_default=True, help="How far to look back."
)
@pass_here
def dmarc(here: Here, domain: str | None, days: int) -> None:
    """Tell how mail in the name of DOMAIN (or any of yours) fared at others.

    They report it by mail when the rua= of _dmarc.DOMAIN in the DNS asks for it (RFC 9990).
    """
    found = ask(here, lambda reader: dmarc_reports.read(reader, domain, time.time() - days * _DAY))
    if here.json:
        print_json([dmarc_reports.facts(one) for one in found])
        return
    for one in found:
        here.say(dmarc_reports.conclusion(one, days))
        if one.failures:
            print_table(dmarc_reports.COLUMNS, dmarc_reports.table(one))
    if not found:
        about = f" about {domain}" if domain else ""
        here.say(f"Nobody has reported anything{about} in the last {counted(days, 'day')}.")


def _read(reader: Reader, name: str | None, since: float) -> list[_Domain]:
    where, params = "at >= ?", list[str | float]([since])
    if name is not None:
        where += " AND domain = ?"
        params.append(find_domain(reader, name).name)
    rows = reader.rows(
        "SELECT domain, at, organization, successes, failures, details FROM tls_report_in"  # noqa: S608 - constants
        f" WHERE {where} ORDER BY domain",
        *params,
    )
    found: dict[str, _Domain] = {}
    for domain, at, organization, successes, failures, details in rows:
        one = found.setdefault(domain, _Domain(domain))
        one.successes += successes
        one.failures += failures
        one.reporters.add(organization)
        one.latest = max(one.latest, at)
        for detail in msgspec.json.decode(details, type=list[Detail]):
            key = detail.result_type, detail.receiving_mx_hostname, organization
            one.reasons[key] += detail.failed_session_count
    return list(found.values())


def _conclusion(one: _Domain, days: int) -> str:
    """The first sentence says how it is."""
    name, sessions = unicode_domain(one.name), one.successes + one.failures
    who = counted(len(one.reporters), "server operator")
    period = f"in the last {counted(days, 'day')}, say {who}, the last on {date(one.latest)}"
    if not one.failures:
        return f"{name}: all {counted(sessions, 'session')} had the TLS that they should have {period}."
    return f"{name}: {one.failures} of {counted(sessions, 'session')} failed {period}."


def _facts(one: _Domain) -> dict[str, Any]:
    reasons: Sequence[tuple[tuple[str, str, str], int]] = one.reasons.most_common()
    return {
        "domain": one.name,
        "successes": one.successes,
        "failures": one.failures,
        "reporters": sorted(one.reporters),
        "latest": one.latest,
        "reasons": [
            {"result": result, "host": host, "reporter": by, "sessions": count}
            for (result, host, by), count in reasons
        ],
    }
