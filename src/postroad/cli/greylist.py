"""`postroad greylist`: who has to come back before its mail is taken, and who need not."""

from typing import Any

import click

from postroad.cli.database import ask, open_store
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Column, Problem, print_json, print_table
from postroad.cli.times import date, moment
from postroad.db.transaction import Reader
from postroad.policy import greylist as verbs
from postroad.policy.greylist import Allowed, Row


@click.group(short_help="Senders that wait, and those that need not.")
def greylist() -> None:
    """Senders that have to come back before their mail is taken.

    It is switched on by [receiving] greylisting in the settings, or for a
    domain with postroad domain policy.
    """


@greylist.command("list")
@common
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@pass_here
def list_(here: Here, limit: int) -> None:
    """List who never waits, and the latest senders that waited."""

    def question(reader: Reader) -> tuple[list[Allowed], list[Row]]:
        return verbs.allowed(reader), verbs.rows(reader, limit)

    allowed, rows = ask(here, question)
    if here.json:
        print_json({"allowed": [_allowed(one) for one in allowed], "senders": [_row(one) for one in rows]})
        return
    if allowed:
        print_table(
            [Column("NEVER WAITS", cut=True), Column("BY"), Column("SINCE")],
            [(one.what, one.who, date(one.at)) for one in allowed],
        )
    if rows:
        print_table(
            [
                Column("FROM"),
                Column("SENDER", cut=True),
                Column("RECIPIENT", cut=True),
                Column("FIRST"),
                Column("STATE"),
            ],
            [
                (
                    one.network,
                    one.sender or "<>",
                    one.recipient,
                    moment(one.first),
                    "known" if one.passed else "waits",
                )
                for one in rows
            ],
        )
    if not allowed and not rows:
        here.say("Nobody is known to greylisting.")
        here.next("postroad domain policy example.org --greylisting on")


@greylist.command()
@common
@click.argument("what")
@pass_here
def allow(here: Here, what: str) -> None:
    """Let WHAT never wait: an address, its network, or the domain of senders."""
    try:
        with open_store(here) as database:
            name = database.write(lambda tx: verbs.allow(tx, what, who=operator()))
    except ValueError as error:
        raise Problem(str(error), "postroad greylist allow --help") from None
    if here.json:
        print_json({"allowed": name})
    here.say(f"{name} never waits.")


@greylist.command()
@common
@click.argument("what")
@pass_here
def forget(here: Here, what: str) -> None:
    """Forget what is known of WHAT; its senders are new then."""
    try:
        with open_store(here) as database:
            count = database.write(lambda tx: verbs.forget(tx, what))
    except ValueError as error:
        raise Problem(str(error), "postroad greylist forget --help") from None
    if here.json:
        print_json({"forgotten": count})
    here.say(f"Forgot {what}." if count else f"Nothing was known of {what}.")


def _allowed(one: Allowed) -> dict[str, Any]:
    ends = None if one.ends >= verbs.FOR_EVER else one.ends
    return {"what": one.what, "who": one.who, "at": one.at, "ends": ends}


def _row(one: Row) -> dict[str, Any]:
    return {
        "network": one.network,
        "sender": one.sender,
        "recipient": one.recipient,
        "first": one.first,
        "ends": one.ends,
        "passed": bool(one.passed),
    }
