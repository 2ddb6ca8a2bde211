"""`postroad route`: ways for mail to others than by MX records."""

import asyncio
import sys
from getpass import getpass
from typing import Any

import click

from postroad.cli.database import ask, change_directory, open_store
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Column, Exit, Problem, mark, print_json, print_table, safe
from postroad.db.offline import OfflineDatabase
from postroad.directory import routes
from postroad.directory.domains import normal
from postroad.directory.routes import Route
from postroad.directory.seal import Seal
from postroad.smtp.outcome import Outcome, Verdict

_AFTER = click.option(
    "--after", type=click.IntRange(0, routes.AFTER_MOST), default=0, metavar="N",
    help="Only for messages that have failed N times: a fall-back.",
)  # fmt: skip
_FROM = click.option(
    "--from", "sender", default=routes.EVERYWHERE, metavar="DOMAIN",
    help="Only for mail from this domain.",
)  # fmt: skip


@click.group(short_help="Ways for mail to others than by MX records.")
def route() -> None:
    """Ways for mail to others than by MX records.

    DOMAIN is that of the recipients; write "*" (in quotes) for all that have no
    route of their own. With --from a route is for mail from one domain only.
    """


@route.command()
@common
@click.argument("domain")
@click.argument("target")
@_FROM
@_AFTER
@click.option("--login", default="", metavar="NAME", help="Log in; the password is asked for.")
@click.option(
    "--tls",
    type=click.Choice(["may", "encrypt", "verify"]),
    help="may: where it is offered; encrypt: with any certificate; verify: with one for the host.",
)
@click.option("--source", "sources", multiple=True, metavar="ADDRESS", help="Come from this address.")
@click.option(
    "--per-minute",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Begin at most N messages within a minute, of all that go this way.",
)
@click.option("--replace", is_flag=True, help="In place of the route that is there.")
@pass_here
def add(
    here: Here,
    domain: str,
    target: str,
    sender: str,
    after: int,
    login: str,
    tls: routes.TlsWish | None,
    sources: tuple[str, ...],
    per_minute: int,
    replace: bool,
) -> None:
    """Send mail for DOMAIN by way of TARGET from now on.

    TARGET is smtp://HOST, submission://HOST (587), smtps://HOST (465) or
    lmtp://HOST (24), perhaps with a :PORT; or mx, for an --source alone.
    """
    password = _password(login, target) if login else ""
    seal = Seal.of(here.settings().data) if password else None
    added = change_directory(
        here,
        lambda tx: routes.add_route(
            tx,
            domain,
            target,
            who=operator(),
            sender=sender,
            after=after,
            tls=tls,
            login=login,
            password=password,
            seal=seal,
            sources=sources,
            per_minute=per_minute,
            replace=replace,
        ),
    )
    if here.json:
        print_json(_facts(added))
    here.say(f"{_mail(added)} goes by way of {added.target}{_when(added)}.")
    if added.domain != routes.EVERYWHERE:
        of = "" if added.sender == routes.EVERYWHERE else f" --from {added.unicode_sender}"
        here.next(f"postroad route test {added.unicode}{of}")


@route.command("list")
@common
@pass_here
def list_(here: Here) -> None:
    """List all routes."""
    found = ask(here, routes.routes)
    if here.json:
        print_json([_facts(one) for one in found])
    elif found:
        print_table(
            [
                Column("FOR", cut=True),
                Column("FROM", cut=True),
                Column("AFTER", "right"),
                Column("BY WAY OF", cut=True),
                Column("TLS"),
                Column("LOGIN", cut=True),
                Column("SOURCE", cut=True),
                Column("A MINUTE", "right"),
            ],
            [
                (
                    *(r.unicode, r.unicode_sender, r.after or "", r.target, r.tls, r.login or "–"),
                    *(", ".join(r.sources) or "–", r.per_minute or "–"),
                )
                for r in found
            ],
        )
    else:
        here.say("No routes: mail goes to the servers that MX records name.")
        here.next('postroad route add "*" submission://relay.example.org --login NAME')


@route.command()
@common
@click.argument("domain")
@_FROM
@_AFTER
@pass_here
def remove(here: Here, domain: str, sender: str, after: int) -> None:
    """Take a route away; its password is forgotten."""
    gone = change_directory(
        here, lambda tx: routes.remove_route(tx, domain, who=operator(), after=after, sender=sender)
    )
    if here.json:
        print_json(_facts(gone))
    here.say(f"{_mail(gone)} does not go by way of {gone.target} any more.")


@route.command()
@common
@click.argument("domain")
@click.option("--from", "sender", default="", metavar="DOMAIN", help="As mail from this domain.")
@click.option("--after", type=click.IntRange(0), default=0, metavar="N", help="As after N failed attempts.")
@pass_here
def test(here: Here, domain: str, sender: str, after: int) -> None:
    """Connect to every server at which mail for DOMAIN would be tried; nothing is sent.

    MTA-STS policies are not looked at.
    """
    name = normal(domain)
    with open_store(here) as database:
        outcomes = asyncio.run(_probe(here, database, name, after, sender and normal(sender)))
    if here.json:
        print_json([_outcome(one) for one in outcomes])
    for one in outcomes:
        place = f"{one.host} {one.address}".strip() or name
        parts = [one.words, one.tls or ("in clear" if _good(one) else ""), one.certificate]
        here.say(safe(f"{mark(_good(one))} {place}: {', '.join(part for part in parts if part)}"))
    if not any(_good(one) for one in outcomes):
        raise Problem(f"no server for {domain} can be used", status=Exit.PROBLEM)


async def _probe(
    here: Here, database: OfflineDatabase, domain: str, after: int, sender: str
) -> list[Outcome]:
    # Only this command needs the network.
    from postroad.delivery.relay import Relays
    from postroad.delivery.remote import RemoteDelivery
    from postroad.dns.system import SystemResolver
    from postroad.net.clock import SystemClock
    from postroad.smtp.security import verifying_context

    settings, clock = here.settings(), SystemClock()
    resolver = SystemResolver(settings.dns.servers, settings.dns.timeout, clock, settings.dns.dnssec)
    delivery = RemoteDelivery(
        resolver=resolver,
        clock=clock,
        settings=settings.queue,
        hostname=settings.hostname,
        relays=Relays(database, settings.data, verifying_context),
    )
    try:
        return await delivery.probe(domain, after, sender)
    finally:
        await resolver.close()


def _password(login: str, target: str) -> str:
    """From the terminal, or the first line of standard input; never from the command line."""
    if sys.stdin.isatty():
        password = getpass(f"Password of {login} at {target}: ")
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise Problem("no password came", "write it to standard input", status=Exit.USAGE)
    return password


def _good(one: Outcome) -> bool:
    return one.verdict is Verdict.DELIVERED


def _mail(one: Route) -> str:
    senders = "" if one.sender == routes.EVERYWHERE else f" from {one.unicode_sender}"
    whom = "every domain without a route of its own" if one.domain == routes.EVERYWHERE else one.unicode
    return f"Mail{senders} for {whom}"


def _when(one: Route) -> str:
    return f" once it has failed {one.after} times" if one.after else ""


def _facts(one: Route) -> dict[str, Any]:
    return {
        "domain": one.domain,
        "sender": one.sender,
        "after": one.after,
        "target": one.target,
        "tls": one.tls,
        "login": one.login,
        "sources": one.sources,
        "per_minute": one.per_minute,
        "created": one.created,
    }


def _outcome(one: Outcome) -> dict[str, Any]:
    return {
        "host": one.host,
        "address": one.address,
        "good": _good(one),
        "words": one.words,
        "tls": one.tls,
        "certificate": one.certificate,
        "policy": one.policy,
    }
