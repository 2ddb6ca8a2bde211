"""`postroad report`: what other servers report about our domains."""

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import click

from postroad.cli import dmarc_reports, tls_reports
from postroad.cli.database import ask
from postroad.cli.here import Here, common, pass_here
from postroad.cli.output import Column, print_json, print_table
from postroad.model.counted import counted

_DAY: Final = 86400.0
_domain = click.argument("domain", required=False)
_days = click.option(
    "--days", type=click.IntRange(1, 90), default=7, show_default=True, help="How far to look back."
)


@click.group(short_help="What other servers report about your domains.")
def report() -> None:
    """What other servers report about your domains."""


@report.command()
@common
@_domain
@_days
@pass_here
def tls(here: Here, domain: str | None, days: int) -> None:
    """Tell how well others could reach DOMAIN (or any) with TLS.

    They report it by mail when _smtp._tls.DOMAIN in the DNS asks for it (RFC 8460).
    """
    found = ask(here, lambda reader: tls_reports.read(reader, domain, _since(days)))
    _tell(
        here,
        domain,
        days,
        [
            _Told(tls_reports.conclusion(one, days), tls_reports.table(one), tls_reports.facts(one))
            for one in found
        ],
        tls_reports.COLUMNS,
    )


@report.command()
@common
@_domain
@_days
@pass_here
def dmarc(here: Here, domain: str | None, days: int) -> None:
    """Tell how mail in the name of DOMAIN (or any of yours) fared at others.

    They report it by mail when the rua= of _dmarc.DOMAIN in the DNS asks for it (RFC 9990).
    """
    found = ask(here, lambda reader: dmarc_reports.read(reader, domain, _since(days)))
    _tell(
        here,
        domain,
        days,
        [
            _Told(dmarc_reports.conclusion(one, days), dmarc_reports.table(one), dmarc_reports.facts(one))
            for one in found
        ],
        dmarc_reports.COLUMNS,
    )


class _Told(NamedTuple):
    """What there is to tell of one domain."""

    conclusion: str
    table: Sequence[Sequence[object]]
    facts: dict[str, Any]


def _since(days: int) -> float:
    return time.time() - days * _DAY


def _tell(
    here: Here, domain: str | None, days: int, domains: Sequence[_Told], columns: Sequence[Column]
) -> None:
    """The conclusion comes first; a table follows where something went wrong."""
    if here.json:
        print_json([one.facts for one in domains])
        return
    for one in domains:
        here.say(one.conclusion)
        if one.table:
            print_table(columns, one.table)
    if not domains:
        about = f" about {domain}" if domain else ""
        here.say(f"Nobody has reported anything{about} in the last {counted(days, 'day')}.")
