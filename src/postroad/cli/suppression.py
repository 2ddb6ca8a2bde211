"""`postroad suppression`: addresses that are not written to any more."""

from dataclasses import asdict

import click

from postroad.cli.database import ask, open_store
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Column, Problem, print_json, print_table
from postroad.cli.times import date
from postroad.directory.accounts import parsed
from postroad.queue import suppression as verbs


@click.group(short_help="Addresses that are not written to any more.")
def suppression() -> None:
    """Addresses elsewhere that are not written to any more.

    Mail for them goes back to its sender at once, with the reason.
    """


@suppression.command("list")
@common
@pass_here
def list_(here: Here) -> None:
    """List them, the latest first."""
    found = ask(here, verbs.listed)
    if here.json:
        print_json([asdict(one) for one in found])
    elif found:
        print_table(
            [Column("ADDRESS", cut=True), Column("SINCE"), Column("BY"), Column("WHY", cut=True)],
            [(one.address, date(one.at), one.who or "bounces", one.reason) for one in found],
        )
    else:
        here.say("No address is suppressed.")


@suppression.command()
@common
@click.argument("address")
@click.option("--reason", default="", help="What senders are told.")
@pass_here
def add(here: Here, address: str, reason: str) -> None:
    """Write to ADDRESS no more."""
    with open_store(here) as database:
        added = database.write(lambda tx: verbs.add(tx, parsed(address), who=operator(), reason=reason))
    if here.json:
        print_json(asdict(added))
    here.say(f"Mail for {added.address} goes back at once: {added.reason}.")


@suppression.command()
@common
@click.argument("address")
@pass_here
def remove(here: Here, address: str) -> None:
    """Write to ADDRESS again."""
    try:
        with open_store(here) as database:
            gone = database.write(lambda tx: verbs.remove(tx, parsed(address)))
    except verbs.NotSuppressed as error:
        raise Problem(str(error), "see postroad suppression list") from None
    if here.json:
        print_json(asdict(gone))
    here.say(f"{gone.address} is written to again.")
