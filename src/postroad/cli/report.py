"""`postroad report`: what other servers report about our domains."""

import time
from typing import Final

import click

from postroad.cli import dmarc_reports, tls_reports
from postroad.cli.database import ask
from postroad.cli.here import Here, common, pass_here
from postroad.cli.output import print_json, print_table
from postroad.model.counted import counted

_DAY: Final = 86400.0


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
    found = ask(here, lambda reader: tls_reports.read(reader, domain, time.time() - days * _DAY))
    if here.json:
        print_json([tls_reports.facts(one) for one in found])
        return
    for one in found:
        here.say(tls_reports.conclusion(one, days))
        if one.reasons:
            print_table(tls_reports.COLUMNS, tls_reports.table(one))
    if not found:
        here.say(_nothing(domain, days))


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
        here.say(_nothing(domain, days))


def _nothing(domain: str | None, days: int) -> str:
    about = f" about {domain}" if domain else ""
    return f"Nobody has reported anything{about} in the last {counted(days, 'day')}."
