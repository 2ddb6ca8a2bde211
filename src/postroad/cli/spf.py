"""`postroad spf`: which hosts may send mail for a domain, explained."""

import asyncio
import time
from collections.abc import Iterator

import click
import msgspec

from postroad.cli.arc import print_sentences
from postroad.cli.explain import Sentence
from postroad.cli.here import Here, common, pass_here
from postroad.cli.output import Exit, print_json
from postroad.cli.signed_message import asking
from postroad.dns.bounded import BoundedResolver
from postroad.mailauth.spf.check import check_helo, check_sender
from postroad.mailauth.spf.client import Client
from postroad.mailauth.spf.result import Spf
from postroad.model.address import Address, AddressError, parse_mailbox
from postroad.model.resolver import Resolver
from postroad.trail.note import Note
from postroad.trail.sender_auth import tell_check

QUESTIONS, SECONDS = 200, 20.0


@click.group(short_help="Which hosts may send mail for a domain, explained.")
def spf() -> None:
    """Which hosts may send mail for a domain (SPF), explained."""


@spf.command()
@common
@click.option("--ip", required=True, metavar="ADDRESS", help="The host that sends.")
@click.option("--from", "sender", required=True, metavar="ADDRESS", help='MAIL FROM; "" is the null sender.')
@click.option("--helo", default="", metavar="NAME", help="What the host says that its name is.")
@pass_here
def check(here: Here, ip: str, sender: str, helo: str) -> None:
    """Say whether a host may send mail as an address.

    The exit status is 1 when it may not, or when nobody can say.
    """
    client, address = client_of(ip, helo), sender_of(sender)

    async def judge(resolver: Resolver) -> list[Spf]:
        bounded = BoundedResolver(resolver, questions=QUESTIONS, seconds=SECONDS)
        found = [await check_sender(bounded, client, address)]
        if address is not None and helo:
            found.append(await check_helo(bounded, client))
        return found

    found = asyncio.run(asking(here, judge))
    if here.json:
        print_json([msgspec.to_builtins(one) for one in found])
    else:
        for one in found:
            print_sentences(explain_spf(one, str(client.address)))
    if found[0].verdict in ("fail", "softfail", "temperror", "permerror"):
        raise click.exceptions.Exit(Exit.PROBLEM)


def client_of(ip: str, helo: str) -> Client:
    """The host that the options name."""
    try:
        return Client.of(ip, helo, now=time.time())
    except ValueError:
        raise click.BadParameter(f'"{ip}" is no IP address', param_hint="--ip") from None


def sender_of(text: str) -> Address | None:
    """The MAIL FROM that an option names."""
    try:
        return parse_mailbox(text) if text else None
    except AddressError as error:
        raise click.BadParameter(f'"{text}" is no address: {error}', param_hint="--from") from None


def explain_spf(found: Spf, client: str) -> Iterator[Sentence]:
    """The conclusion, and what it rests on."""
    facts: dict[str, str | list[str]] = {
        "verdict": found.verdict,
        "domain": found.domain or "nobody",
        "client": client,
        "problem": found.problem,
        "matched": [one.term for one in found.matched],
    }
    good = {"pass": True, "none": None, "neutral": None}.get(found.verdict, False)
    which = "" if found.identity == "mailfrom" else "HELO: "
    for _, text in tell_check(Note("spf", dict(facts))):
        yield good, f"{which}{found.verdict}: {text}"
    for one in found.matched:
        yield None, f"  {one.term} is in the policy of {one.domain}"
    if found.record:
        yield None, f"  the policy is {found.record}"
    if found.explanation:
        yield None, f"  the domain says: {found.explanation}"
    if found.lookups:
        yield (
            None,
            f"  it cost {found.lookups} of 10 terms that need the DNS, {found.voids} of 2 found nothing",
        )
