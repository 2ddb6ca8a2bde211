"""`postroad alias`: addresses whose mail goes to others."""

from typing import Any

import click

from postroad.cli.database import ask, change_directory
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Column, Problem, print_json, print_table
from postroad.directory import aliases
from postroad.directory.aliases import Alias
from postroad.directory.domains import normal
from postroad.directory.errors import AlreadyThere, InUse


@click.group(short_help="Addresses whose mail goes to others; catch-alls.")
def alias() -> None:
    """Addresses whose mail goes to others, here or elsewhere.

    An alias may have several targets. @example.org catches what no account
    and no other alias of the domain takes.
    """


@alias.command()
@common
@click.argument("address")
@click.argument("target", nargs=-1, required=True)
@click.option(
    "--shadow", is_flag=True, help="Even if there is an account of that name, whose mail it then takes."
)
@pass_here
def add(here: Here, address: str, target: tuple[str, ...], shadow: bool) -> None:
    """Send the mail of ADDRESS to each TARGET, beside those that it has."""
    try:
        made = change_directory(
            here, lambda tx: aliases.add_alias(tx, address, target, who=operator(), shadow=shadow)
        )
    except AlreadyThere as error:
        raise Problem(str(error), "" if shadow else "see postroad alias add --help, --shadow") from None
    if here.json:
        print_json(_facts(made))
    here.say(f"Mail to {made.source} goes to {', '.join(made.targets)}.")
    here.next(f"postroad alias show {made.source}")


@alias.command("list")
@common
@click.argument("domain", required=False)
@pass_here
def list_(here: Here, domain: str | None) -> None:
    """List all aliases, or those of DOMAIN."""
    found = ask(here, lambda reader: aliases.aliases(reader, normal(domain) if domain else None))
    if here.json:
        print_json([_facts(one) for one in found])
    elif found:
        print_table(
            [Column("ALIAS", cut=True), Column("GOES TO", cut=True)],
            [(one.source, ", ".join(one.targets)) for one in found],
        )
    else:
        here.say("No aliases yet.")
        here.next("postroad alias add info@example.org someone@example.org")


@alias.command()
@common
@click.argument("address")
@pass_here
def show(here: Here, address: str) -> None:
    """Show where the mail of an alias goes."""
    found = ask(here, lambda reader: aliases.alias(reader, address))
    if here.json:
        print_json(_facts(found))
        return
    print_table([Column(f"{found.source} GOES TO")], [(target,) for target in found.targets])


@alias.command()
@common
@click.argument("address")
@click.argument("target", nargs=-1)
@click.option("--even-if-used", is_flag=True, help="Also take it off the aliases that point at it.")
@pass_here
def remove(here: Here, address: str, target: tuple[str, ...], even_if_used: bool) -> None:
    """Remove an alias, or only each TARGET of it."""
    try:
        gone = change_directory(
            here,
            lambda tx: aliases.remove_alias(tx, address, target, who=operator(), even_if_used=even_if_used),
        )
    except InUse as error:
        raise Problem(str(error), "--even-if-used takes it off them") from None
    if here.json:
        print_json(_facts(gone))
    here.say(f"Mail to {gone.source} no longer goes to {', '.join(gone.targets)}.")


def _facts(one: Alias) -> dict[str, Any]:
    return {"source": one.source, "targets": list(one.targets)}
