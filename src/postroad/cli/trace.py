"""`postroad trace`: what happened to a message, in plain sentences."""

import textwrap
import time
from ipaddress import ip_address
from typing import Any, Final

import click

from postroad.cli.database import ask
from postroad.cli.here import Here, common, pass_here
from postroad.cli.output import Exit, colour, columns_available, print_json, safe
from postroad.cli.times import clock_time, date, moment
from postroad.config.values import parse_duration
from postroad.db.transaction import Reader
from postroad.trail.note import Trail, from_text_id, text_id
from postroad.trail.record import KEPT_DAYS, find
from postroad.trail.sentences import tell

_LABEL: Final = 11
_MOST: Final = 50


@click.command()
@common
@click.argument("what", required=False, metavar="[ADDRESS|MESSAGE-ID|ID|IP]")
@click.option("--since", metavar="1h", help='How far back: "90 s", "1h", "5 days".')
@click.option("--limit", type=click.IntRange(1, 10_000), default=_MOST, show_default=True)
@pass_here
def trace(here: Here, what: str | None, since: str | None, limit: int) -> int:
    """Tell what happened to a message.

    By the address of its sender or of a recipient, by its Message-ID, by the
    id that the server gave it (T…) or by its id in the queue (Q…), by the IP
    address of the other server; or all messages of some time.
    """
    if what is None and since is None:
        raise click.UsageError("say an address, a Message-ID, an id, or --since 1h")
    trails = ask(here, lambda reader: _find(reader, what, _begin(since), limit))
    if here.json:
        print_json([_facts(trail) for trail in trails])
    for number, trail in enumerate(reversed(trails)):
        if number and not here.json:
            click.echo()
        if not here.json:
            _print(trail)
    if not trails:
        period = f"the last {since}" if since else f"the last {KEPT_DAYS} days"
        here.say(f"Nothing is known of {safe(what)} in {period}." if what else f"No mail in {period}.")
    elif len(trails) == limit:
        here.say(f"\nThe latest {limit} are shown; --limit shows more.")
    return Exit.OK if trails else Exit.PROBLEM


def _find(reader: Reader, what: str | None, since: float | None, limit: int) -> list[Trail]:
    number = from_text_id(what) if what else None
    if number is not None and "@" not in (what or ""):
        found = find(reader, trail_id=number, since=since, limit=limit)
        if found:
            return found
    try:
        address = str(ip_address((what or "").strip("[]")))
    except ValueError:
        return find(reader, key=what, since=since, limit=limit)
    return find(reader, address=address, since=since, limit=limit)


def _begin(since: str | None) -> float | None:
    if since is None:
        return None
    try:
        return time.time() - parse_duration(since)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--since") from None


def _print(trail: Trail) -> None:
    story = tell(trail, lambda at: _when(at, trail.at))
    day = "" if date(trail.at) == date(time.time()) else f"{date(trail.at)} "
    head = f"{day}{clock_time(trail.at)}  {safe(story.headline)}   {text_id(trail.id)}"
    click.echo(click.style(head, bold=True) if colour() else head)
    for line in story.lines:
        # What happened later carries its own time.
        later = f"{_when(line.at, trail.at)}  " if line.at - trail.at >= 1 else ""
        _wrapped(f"  {line.label:<{_LABEL}} ", later + safe(line.text))
    if story.conclusion:
        _wrapped("  → ", safe(story.conclusion))


def _when(at: float, begun: float) -> str:
    """The time of day, with the date when that is another than at the beginning."""
    return clock_time(at) if date(at) == date(begun) else moment(at)


def _wrapped(label: str, text: str) -> None:
    width = max(columns_available(), 40)
    for line in textwrap.wrap(text, width, initial_indent=label, subsequent_indent=" " * len(label)) or [
        label
    ]:
        click.echo(line)


def _facts(trail: Trail) -> dict[str, Any]:
    return {
        "id": text_id(trail.id),
        "at": trail.at,
        "time": moment(trail.at),
        "kind": trail.kind,
        "sender": trail.sender,
        "recipients": trail.recipients,
        "message_id": trail.message_id,
        "subject": trail.subject,
        "notes": [{"at": at, "kind": note.kind, **note.facts} for at, note in trail.notes],
        "story": [line.text for line in tell(trail, moment).lines],
    }
