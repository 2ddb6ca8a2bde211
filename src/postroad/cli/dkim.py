"""`postroad dkim`: the keys that domains sign with, and signatures explained."""

import asyncio
import time
from dataclasses import asdict
from typing import Any

import click

from postroad.cli.arc import print_sentences
from postroad.cli.database import ask, change_directory
from postroad.cli.explain import explain_signatures
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Column, Exit, Problem, print_json, print_table
from postroad.cli.signed_message import read_message, with_resolver
from postroad.cli.times import date
from postroad.config.settings import Settings
from postroad.db.transaction import Reader, Transaction
from postroad.directory import dkim_keys, domains
from postroad.directory.dkim_keys import DkimKey
from postroad.directory.dkim_rounds import Seen, look
from postroad.directory.seal import Seal
from postroad.dns.system import SystemResolver
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.result import SignatureResult, Verification
from postroad.mailauth.dkim.verify import verify
from postroad.message.header import HeaderBlock
from postroad.model.resolver import Resolver
from postroad.net.clock import SystemClock


@click.group(short_help="Keys that mail is signed with, and signatures explained.")
def dkim() -> None:
    """Keys that mail is signed with, and signatures explained.

    A key signs once the DNS shows it; postroad domain dns prints what to publish.
    """


@dkim.command("list")
@common
@click.argument("domain", required=False)
@pass_here
def list_(here: Here, domain: str | None) -> None:
    """List the keys of a domain, or of all."""
    found = ask(here, lambda reader: _keys(reader, domain))
    if here.json:
        print_json([_facts(one) for one in found])
    elif found:
        print_table(
            [
                Column("DOMAIN", cut=True),
                Column("SELECTOR"),
                Column("ALGORITHM"),
                Column("STATE"),
                Column("MADE"),
                Column("IN THE DNS"),
            ],
            [
                (one.domain, one.selector, one.algorithm, one.state, date(one.created), _seen(one))
                for one in found
            ],
        )
    else:
        here.say("No keys yet; they are made with a domain.")


@dkim.command()
@common
@click.argument("domain")
@pass_here
def rotate(here: Here, domain: str) -> None:
    """Make new keys; each signs in place of the old one once the DNS shows it."""
    data = here.settings().data

    def question(reader: Reader) -> tuple[str, list[DkimKey]]:
        name = domains.domain(reader, domain).name
        return name, [one for one in dkim_keys.keys(reader, name) if one.state == "waiting"]

    name, waiting = ask(here, question)
    if waiting:
        raise Problem(
            f"{waiting[0].name} already waits for the DNS to show it", f"postroad domain dns {name} --check"
        )
    new = dkim_keys.draw_all()
    made = change_directory(here, lambda tx: dkim_keys.add_keys(tx, name, new, Seal.of(data), who=operator()))
    if here.json:
        print_json([_facts(one) for one in made])
    for one in made:
        here.say(f"Made {one.name}; it signs once the DNS shows it.")
    here.next(f"postroad domain dns {name}")


@dkim.command("look")
@common
@click.argument("domain", required=False)
@pass_here
def look_(here: Here, domain: str | None) -> None:
    """Ask the DNS now, and sign with the keys that it shows."""
    found = [one for one in ask(here, lambda reader: _keys(reader, domain)) if one.state != "retired"]
    seen = asyncio.run(_look(here.settings(), found))

    def note(tx: Transaction) -> list[str]:
        shown = [one.key for one in seen if one.shown]
        return [one.name for one in shown if dkim_keys.note_shown(tx, one, who=operator())]

    begun = change_directory(here, note)
    if here.json:
        print_json([{**_facts(one.key), "shown": one.shown, "what": one.what} for one in seen])
    for one in seen:
        more = " and mail is signed with it from now on" if one.key.name in begun else ""
        here.say(f"{one.key.name}: {one.what}{more}.")


@dkim.command()
@common
@click.argument("domain")
@click.argument("selector")
@pass_here
def retire(here: Here, domain: str, selector: str) -> None:
    """Sign with a key no more, from now on; for one that somebody else may have."""

    def work(tx: Transaction) -> DkimKey:
        old = dkim_keys.key(tx, domains.domain(tx, domain).name, selector)
        dkim_keys.retire(tx, old, who=operator())
        return old

    old = change_directory(here, work)
    if here.json:
        print_json(_facts(old))
    here.say(f"Mail is signed with {old.name} no more, and its private half is erased.")
    here.say('If somebody else may have it, publish "v=DKIM1; p=" in its place: that revokes it.')
    here.next(f"postroad dkim rotate {old.domain}")


@dkim.command()
@common
@click.argument("file")
@pass_here
def check(here: Here, file: str) -> None:
    """Verify the signatures of a message in FILE, or on standard input for -.

    The exit status is 1 when none of them vouches for the whole message.
    """
    message = read_message(file)

    async def judge(block: HeaderBlock, body: BodyHashes, resolver: Resolver) -> Verification:
        return await verify(block, body, resolver, now=time.time())

    found = asyncio.run(with_resolver(here, message, judge))
    if here.json:
        print_json([_result_facts(one) for one in found.results])
    else:
        print_sentences(explain_signatures(found, HeaderBlock.parse(message)))
    if not found.vouching:
        raise click.exceptions.Exit(Exit.PROBLEM)


def _result_facts(one: SignatureResult) -> dict[str, Any]:
    return {**asdict(one), "result": one.result.value, "vouches": one.vouches}


async def _look(settings: Settings, keys: list[DkimKey]) -> list[Seen]:
    resolver = SystemResolver(settings.dns.servers, settings.dns.timeout, SystemClock(), settings.dns.dnssec)
    try:
        return list(await asyncio.gather(*[look(resolver, one) for one in keys]))
    finally:
        await resolver.close()


def _keys(reader: Reader, domain: str | None) -> list[DkimKey]:
    return dkim_keys.keys(reader, None if domain is None else domains.domain(reader, domain).name)


def _seen(one: DkimKey) -> str:
    return "not seen yet" if one.seen is None else f"seen {date(one.seen)}"


def _facts(one: DkimKey) -> dict[str, Any]:
    return {
        "domain": one.domain,
        "selector": one.selector,
        "algorithm": one.algorithm,
        "state": one.state,
        "created": one.created,
        "seen": one.seen,
        "active": one.active,
        "retired": one.retired,
        "name": one.name,
        "record": one.record,
    }
