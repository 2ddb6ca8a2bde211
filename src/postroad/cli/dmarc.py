"""`postroad dmarc`: whether the domain in From vouches for a message, explained."""

import asyncio
import time
from collections.abc import Iterable, Iterator

import click
import msgspec

from postroad.cli.arc import print_sentences
from postroad.cli.explain import Sentence
from postroad.cli.here import Here, common, pass_here
from postroad.cli.output import Exit, print_json
from postroad.cli.signed_message import asking, read_message, sender_auth_of
from postroad.cli.spf import client_of, sender_of
from postroad.config.sender_auth import SenderAuth
from postroad.delivery.sender_auth.checks import check as check_all
from postroad.delivery.sender_auth.checks import check_signatures
from postroad.delivery.sender_auth.decide import decide
from postroad.delivery.sender_auth.judgement import Judgement
from postroad.delivery.sender_auth.notes import notes_of
from postroad.mailauth.dmarc.author import author_of
from postroad.mailauth.dmarc.evaluate import Identifiers, evaluate
from postroad.mailauth.iprev import Iprev
from postroad.mailauth.spf.result import Spf
from postroad.message.header import HeaderBlock
from postroad.model.resolver import Resolver
from postroad.trail.note import Note
from postroad.trail.sender_auth import tell_check

_LABEL = 7


@click.group(short_help="Whether the domain in From vouches for a message, explained.")
def dmarc() -> None:
    """Whether the domain in From vouches for a message (DMARC), explained."""


@dmarc.command()
@common
@click.argument("file")
@click.option("--ip", metavar="ADDRESS", help="The host that sent it; without it SPF is left out.")
@click.option("--from", "sender", default="", metavar="ADDRESS", help="The MAIL FROM that it came with.")
@click.option("--helo", default="", metavar="NAME", help="What the host said that its name is.")
@pass_here
def check(here: Here, file: str, ip: str | None, sender: str, helo: str) -> None:
    """Judge the message in FILE, or on standard input for -, as if it came in now.

    The exit status is 1 when it would not be taken into an INBOX.
    """
    message = read_message(file)
    settings = sender_auth_of(here)
    client, address = client_of(ip or "192.0.2.0", helo), sender_of(sender)
    header = message[: HeaderBlock.parse(message).body_start]

    async def judge(resolver: Resolver) -> Judgement:
        if ip is not None:
            return await check_all(resolver, settings, client, address, header, message)
        return await _without_client(resolver, settings, header, message)

    judged = asyncio.run(asking(here, judge))
    decision = decide(settings, judged, client.address, {"any of yours"})
    if here.json:
        facts = {"decision": decision.disposition, "why": decision.why}
        print_json(
            facts | {"dmarc": msgspec.to_builtins(judged.dmarc), "spf": msgspec.to_builtins(judged.spf)}
        )
    else:
        done = {"none": "taken", "quarantine": "filed as junk", "reject": "refused"}[decision.disposition]
        notes = notes_of(judged, decision, str(client.address))
        print_sentences(_explained(judged, done, notes))
    if decision.disposition != "none":
        raise click.exceptions.Exit(Exit.PROBLEM)


async def _without_client(
    resolver: Resolver, settings: SenderAuth, header: bytes, message: bytes
) -> Judgement:
    """What can be said of a message when nobody knows where it came from."""
    unknown = Spf("none", "mailfrom", "", problem="not checked, since --ip does not say who sent it")
    author = author_of(header)
    dkim, arc = await check_signatures(resolver, settings, message, time.time())
    found = await evaluate(resolver, author, Identifiers(dkim=dkim.vouching))
    return Judgement(author, unknown, unknown, Iprev("permerror", ""), dkim, arc, found)


def _explained(judged: Judgement, done: str, notes: Iterable[Note]) -> Iterator[Sentence]:
    """The conclusion, then what each check says, and the record."""
    found = judged.dmarc
    good = {"pass": True, "none": None}.get(found.verdict, False)
    yield good, f"DMARC {found.verdict}: the message would be {done}"
    for note in notes:
        for label, text in tell_check(note):
            yield None, f"  {label:<{_LABEL}}{text}"
    if found.record is not None:
        yield None, f"  {'record':<{_LABEL}}{found.record.text}, at _dmarc.{found.holder}"
        organization = found.organization or "which the DNS does not tell for now"
        yield None, f"  {'domain':<{_LABEL}}{found.domain} is of the organization {organization}"
