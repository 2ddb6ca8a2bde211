"""`postroad domain`: which domains mail is taken for."""

from typing import Any

import click

from postroad.cli.bounds import COUNT, SIZE, held, was_given
from postroad.cli.database import ask, change_directory
from postroad.cli.domain_policy import policy
from postroad.cli.domain_records import dns
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Column, Problem, print_facts, print_json, print_table
from postroad.cli.times import date
from postroad.db.transaction import Reader, Transaction
from postroad.directory import aliases, dkim_keys, domains
from postroad.directory.aliases import Alias
from postroad.directory.domains import Domain
from postroad.directory.errors import InUse, NoSuchAlias
from postroad.directory.seal import Seal


@click.group(short_help="Domains that mail is taken for.")
def domain() -> None:
    """Domains that mail is taken for.

    Write them as people do (bücher.example) or as the DNS does (xn--…).
    postmaster@ and abuse@ of each domain always reach someone.
    """


domain.add_command(dns)
domain.add_command(policy)


@domain.command()
@common
@click.argument("name")
@pass_here
def add(here: Here, name: str) -> None:
    """Take mail for a domain from now on."""
    data = here.settings().data
    new = dkim_keys.draw_all()

    def work(tx: Transaction) -> Domain:
        added = domains.add_domain(tx, name, who=operator())
        dkim_keys.add_keys(tx, added.name, new, Seal.of(data), who=operator())
        return added

    added = change_directory(here, work)
    if here.json:
        print_json(_facts(added))
    here.say(f"Added {added.unicode}: mail for its accounts and aliases is taken from now on.")
    here.say(f"Mail from it is signed once the DNS shows its keys: postroad domain dns {added.unicode}")
    here.next(f"postroad account add someone@{added.unicode}")


@domain.command("list")
@common
@pass_here
def list_(here: Here) -> None:
    """List all domains."""
    found = ask(here, domains.domains)
    if here.json:
        print_json([_facts(one) for one in found])
    elif found:
        print_table(
            [
                Column("DOMAIN", cut=True),
                Column("ACCOUNTS", "right"),
                Column("ALIASES", "right"),
                Column("SINCE"),
            ],
            [(one.unicode, one.accounts, one.aliases, date(one.created)) for one in found],
        )
    else:
        here.say("No domains yet.")
        here.next("postroad domain add example.org")


@domain.command()
@common
@click.argument("name")
@pass_here
def show(here: Here, name: str) -> None:
    """Show one domain."""

    def question(reader: Reader) -> tuple[Domain, tuple[str, ...]]:
        found = domains.domain(reader, name)
        return found, _catch_all(reader, found.name)

    found, catches = ask(here, question)
    if here.json:
        print_json({**_facts(found), "catch_all": catches})
        return
    print_facts(
        [
            ("domain", found.unicode),
            ("in the DNS", found.name if found.name != found.unicode else ""),
            ("accounts", found.accounts),
            ("aliases", found.aliases),
            *held(found.bytes_used, found.quota_bytes, found.messages_used, found.quota_messages),
            ("catch-all", ", ".join(catches) or "none: unknown addresses are refused"),
            ("since", date(found.created)),
        ]
    )


@domain.command()
@common
@click.argument("name")
@click.argument("size", type=SIZE, required=False)
@click.option("--messages", type=COUNT, metavar="N", help='Most messages; "none" for no bound.')
@pass_here
@click.pass_context
def quota(ctx: click.Context, here: Here, name: str, size: int | None, messages: int | None) -> None:
    """Show what the accounts of a domain use together, or bound it: SIZE as in "20 GiB", or none."""
    sets_size = was_given(ctx, "size")
    sets_messages = was_given(ctx, "messages")

    def work(tx: Transaction) -> Domain:
        before = domains.domain(tx, name)
        return domains.set_quota(
            tx,
            name,
            who=operator(),
            quota_bytes=size if sets_size else before.quota_bytes,
            quota_messages=messages if sets_messages else before.quota_messages,
        )

    if sets_size or sets_messages:
        change_directory(here, work)
    found = ask(here, lambda reader: domains.domain(reader, name))
    if here.json:
        print_json(_facts(found))
        return
    print_facts(held(found.bytes_used, found.quota_bytes, found.messages_used, found.quota_messages))


@domain.command()
@common
@click.argument("name")
@click.option("--with-contents", is_flag=True, help="Its accounts with all their mail, and its aliases, too.")
@pass_here
def remove(here: Here, name: str, with_contents: bool) -> None:
    """Take no more mail for a domain; its accounts can be restored for a while."""
    keep = here.settings().retention.keeps
    try:
        gone = change_directory(
            here,
            lambda tx: domains.remove_domain(
                tx, name, who=operator(), with_contents=with_contents, keep=keep
            ),
        )
    except InUse as error:
        raise Problem(str(error), "--with-contents removes them too, mail included") from None
    if here.json:
        print_json(_facts(gone))
    here.say(f"Removed {gone.unicode}: mail for it is refused from now on.")
    if keep and gone.accounts:
        here.next(f"postroad account list --removed {gone.unicode}")


@domain.command("catch-all")
@common
@click.argument("name")
@click.argument("target", nargs=-1)
@click.option("--off", is_flag=True, help="Refuse unknown addresses again.")
@pass_here
def catch_all(here: Here, name: str, target: tuple[str, ...], off: bool) -> None:
    """Send mail for unknown addresses of a domain to TARGET, in place of where it went before."""
    if off == bool(target):
        raise click.UsageError("name a target, or say --off")

    def work(tx: Transaction) -> Alias:
        source = "@" + domains.domain(tx, name).name
        try:
            before = aliases.remove_alias(tx, source, who=operator(), even_if_used=True)
        except NoSuchAlias:
            if off:
                raise
            before = Alias(source, ())
        return before if off else aliases.add_alias(tx, source, target, who=operator())

    done = change_directory(here, work)
    if here.json:
        print_json({"source": done.source, "targets": [] if off else done.targets})
    if off:
        here.say(f"Unknown addresses of {name} are refused again.")
    else:
        here.say(f"Mail for unknown addresses of {name} goes to {', '.join(done.targets)}.")


def _catch_all(reader: Reader, name: str) -> tuple[str, ...]:
    try:
        return aliases.alias(reader, "@" + name).targets
    except NoSuchAlias:
        return ()


def _facts(one: Domain) -> dict[str, Any]:
    return {
        "name": one.name,
        "unicode": one.unicode,
        "accounts": one.accounts,
        "aliases": one.aliases,
        "bytes_used": one.bytes_used,
        "quota_bytes": one.quota_bytes,
        "messages_used": one.messages_used,
        "quota_messages": one.quota_messages,
        "created": one.created,
    }
