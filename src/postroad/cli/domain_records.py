"""`postroad domain dns`: what the DNS of a domain should say, and whether it does."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import click
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dns.rdtypes.txtbase import TXTBase

from postroad.cli.database import ask as ask_database
from postroad.cli.domain_check import Checked, State, check
from postroad.cli.here import Here, common, pass_here
from postroad.cli.output import Column, Exit, Problem, print_json, print_table, safe
from postroad.config.settings import Settings
from postroad.db.transaction import Reader
from postroad.directory import dkim_keys, domains
from postroad.directory.dkim_keys import DkimKey
from postroad.directory.domains import Domain
from postroad.dns.servers import parse_servers, system_servers
from postroad.dns.system import SystemResolver
from postroad.dns.validating import Question, ValidatingResolver
from postroad.mailauth.publish import Offered, Record, records, sts_place, sts_policy
from postroad.model.answers import Answer
from postroad.net.clock import SystemClock

_SERVICES: Final = (
    ("submissions", "submission", "implicit"),
    ("submission", "submission", "starttls"),
    ("imaps", "imap", "implicit"),
    ("imap", "imap", "starttls"),
    ("pop3s", "pop3", "implicit"),
    ("pop3", "pop3", "starttls"),
)
_SIGNS: Final = {State.GOOD: "✓", State.MISSING: "✕", State.WRONG: "✕", State.UNKNOWN: "–"}


@click.command("dns")
@common
@click.argument("name")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "zone", "json"]),
    default="table",
    help="A table for people, lines for a zone file, or JSON.",
)
@click.option("--check", "look", is_flag=True, help="Ask the DNS, and say what is missing or wrong there.")
@pass_here
def dns(here: Here, name: str, shape: str, look: bool) -> None:
    """Print what the DNS should say of a domain.

    With --check the exit status is 1 while something required is missing or wrong.
    """
    settings = here.settings()

    def question(reader: Reader) -> tuple[Domain, list[DkimKey]]:
        found = domains.domain(reader, name)
        return found, dkim_keys.keys(reader, found.name)

    domain, keys = ask_database(here, question)
    expected = records(
        domain.name,
        settings.hostname,
        keys=[(key.name, key.record) for key in keys],
        services=_services(settings),
        certificate_key=_certificate_key(settings),
    )
    as_json = here.json or shape == "json"
    if look:
        found = asyncio.run(_check(settings, expected))
        _print_checked(here, found, as_json=as_json)
        if any(one.fails for one in found):
            raise click.exceptions.Exit(Exit.PROBLEM)
    elif as_json:
        print_json([_facts(record) for record in expected])
    elif shape == "zone":
        click.echo("\n".join(record.zone_line for record in expected))
    else:
        _print_table(here, domain, keys, expected, settings.hostname)


def _print_table(
    here: Here, domain: Domain, keys: Sequence[DkimKey], expected: Sequence[Record], hostname: str
) -> None:
    print_table(
        [Column("FOR"), Column("NEED"), Column("NAME"), Column("TYPE"), Column("VALUE", cut=True)],
        [(one.purpose, one.need.value, one.name, one.kind, one.value) for one in expected],
    )
    if not keys:
        here.say(f"\nThere are no DKIM keys yet. Make them: postroad dkim rotate {domain.name}")
    here.say(f"\nThe MTA-STS policy, if you want one, for {sts_place(domain.name)}:\n")
    here.say(sts_policy(hostname).replace("\r\n", "\n"))
    here.next(f"postroad domain dns {domain.name} --check")


def _print_checked(here: Here, found: Sequence[Checked], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    **_facts(one.record),
                    "state": one.state.value,
                    "now": one.now,
                    "note": one.note,
                    "change": one.change,
                }
                for one in found
            ]
        )
        return
    width = max(len(one.record.purpose) for one in found)
    for one in found:
        record = one.record
        words = one.note or record.why
        line = f"{_SIGNS[one.state]} {record.purpose:<{width}}  {one.state.value:<7}  {record.name}: {words}"
        click.echo(safe(line))
        if one.state is State.WRONG:
            for text in one.now:
                click.echo(safe(f"    now        {record.kind} {text}"))
        if one.state in (State.WRONG, State.MISSING):
            what = "change to" if one.now else "publish"
            click.echo(safe(f"    {what:<9}  {record.kind} {one.change or record.value}"))
    to_do = sum(one.fails for one in found)
    here.say(f"\n{to_do} to do." if to_do else "\nWhat the domain needs is there.")


async def _check(settings: Settings, expected: Sequence[Record]) -> list[Checked]:
    servers = parse_servers(settings.dns.servers) or system_servers()
    if not servers:
        raise Problem("no resolver is known", "name one in [dns] servers")
    asking = ValidatingResolver(servers, settings.dns.timeout)
    resolver = SystemResolver(settings.dns.servers, settings.dns.timeout, SystemClock(), settings.dns.dnssec)

    async def ask(name: str, kind: str) -> Answer[str]:
        return await asking.ask(Question(name, kind, _text))

    try:
        return await check(expected, settings.hostname, resolver, ask)
    finally:
        await resolver.close()


def _text(record: Any) -> str:
    if isinstance(record, TXTBase):
        return b"".join(record.strings).decode("utf-8", "replace")
    return str(record.to_text())


def _services(settings: Settings) -> list[Offered]:
    """What each kind of client finds here; the same port that the settings name."""
    found = []
    for service, role, tls in _SERVICES:
        ports = [one.port for one in settings.listeners if one.role == role and one.tls == tls]
        found.append(Offered(service, ports[0] if ports else 0))
    return found


def _certificate_key(settings: Settings) -> bytes | None:
    path = settings.tls.certificate
    if path is None:
        return None  # the self-signed one is replaced with its key
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _facts(record: Record) -> dict[str, Any]:
    return {
        "purpose": record.purpose,
        "name": record.name,
        "type": record.kind,
        "value": record.value,
        "need": record.need.value,
        "why": record.why,
    }
