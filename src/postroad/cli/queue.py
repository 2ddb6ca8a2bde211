"""`postroad queue`: mail on its way to other servers."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import click

from postroad.cli.database import ask, open_store
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Column, Problem, print_facts, print_json, print_table
from postroad.cli.times import clock_time, date, moment
from postroad.config.values import about_duration, about_size
from postroad.db.transaction import Transaction
from postroad.model.counted import counted
from postroad.queue import verbs
from postroad.queue.item import QueuedRecipient, from_text_id, text_id
from postroad.queue.verbs import NoSuchItem, Queued
from postroad.trail.note import text_id as trail_text_id

T = TypeVar("T")


class _ItemId(click.ParamType[int]):
    """`Q000001`, as lists, trails and bounces have it."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = from_text_id(value)
        if number is None:
            self.fail(
                f'"{value}" is not an id of the queue, such as Q000001; see postroad queue list', param, ctx
            )
        return number


_IDS = click.argument("ids", type=_ItemId(), nargs=-1, required=True, metavar="ID...")


@click.group(short_help="Mail that is on its way out.")
def queue() -> None:
    """Mail that is on its way to other servers.

    Each message waits until all its recipients have got it or have failed.
    """


@queue.command("list")
@common
@click.option("--destination", metavar="DOMAIN", help="Only what is for this domain.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True)
@pass_here
def list_(here: Here, destination: str | None, limit: int) -> None:
    """List the messages that wait, the oldest first."""
    found = ask(here, lambda reader: verbs.list_queue(reader, limit))
    if destination is not None:
        wanted = destination.lower()
        found = [q for q in found if any(r.destination == wanted for r in q.recipients)]
    now = time.time()
    if here.json:
        print_json([_facts(one) for one in found])
    elif found:
        print_table(
            [
                Column("ID"),
                Column("AGE", "right"),
                Column("FROM", cut=True),
                Column("TO", cut=True),
                Column("TRIES", "right"),
                Column("NEXT"),
                Column("WHY", cut=True),
            ],
            [_row(one, now) for one in found],
        )
        here.next(f"postroad queue show {found[0].item.text_id}")
    else:
        here.say("Nothing is waiting.")


@queue.command()
@common
@click.argument("item_id", type=_ItemId(), metavar="ID")
@pass_here
def show(here: Here, item_id: int) -> None:
    """Show one message and each recipient who still waits for it."""
    found = _or_problem(item_id, lambda: ask(here, lambda reader: verbs.show(reader, item_id)))
    if here.json:
        print_json(_facts(found))
        return
    item = found.item
    print_facts(
        [
            ("id", item.text_id),
            ("from", item.sender or "<>"),
            ("since", f"{moment(item.created)}, {about_duration(max(0.0, time.time() - item.created))} ago"),
            ("size", about_size(item.size)),
            ("trail", trail_text_id(item.trail_id)),
        ]
    )
    for recipient in found.recipients:
        click.echo()
        print_facts(
            [
                ("to", recipient.address),
                ("state", _state(recipient)),
                ("tries", recipient.attempts),
                ("last try", moment(recipient.last_at) if recipient.last_at else ""),
                ("at", recipient.last_host),
                ("said", recipient.last_words),
            ]
        )
    here.next(f"postroad trace {item.text_id}")


@queue.command()
@common
@click.argument("ids", type=_ItemId(), nargs=-1, metavar="[ID...]")
@click.option("--destination", metavar="DOMAIN", help="Everything for this domain.")
@click.option("--all", "everything", is_flag=True, help="Everything that is not held.")
@pass_here
def retry(here: Here, ids: tuple[int, ...], destination: str | None, everything: bool) -> None:
    """Try again now, instead of at the time that was planned."""
    if bool(ids) + (destination is not None) + everything != 1:
        raise click.UsageError("say which: ids, --destination DOMAIN, or --all")
    if ids:
        count = sum(_each(here, ids, lambda tx, item_id: verbs.retry(tx, item_id)))
    else:
        wanted = destination.lower() if destination is not None else None
        with open_store(here) as database:
            count = database.write(lambda tx: verbs.retry(tx, destination=wanted))
    if here.json:
        print_json({"recipients": count})
    if not here.settings().queue.remote:
        here.say("This server delivers nothing to others: [queue] remote is false.")
    else:
        here.say(f"Trying {_recipients(count)} now." if count else "Nothing is waiting for that.")


@queue.command()
@common
@_IDS
@pass_here
def hold(here: Here, ids: tuple[int, ...]) -> None:
    """Keep messages in the queue, untried, until they are released."""
    counts = _each(here, ids, lambda tx, item_id: verbs.hold(tx, item_id, who=operator()))
    if here.json:
        print_json({"recipients": sum(counts)})
    here.say(f"Held for {_recipients(sum(counts))}.")
    here.next(f"postroad queue release {' '.join(map(text_id, ids))}")


@queue.command()
@common
@_IDS
@pass_here
def release(here: Here, ids: tuple[int, ...]) -> None:
    """Let held messages go; they are tried at once."""
    counts = _each(here, ids, lambda tx, item_id: verbs.release(tx, item_id, who=operator()))
    if here.json:
        print_json({"recipients": sum(counts)})
    here.say(f"Released for {_recipients(sum(counts))}." if sum(counts) else "Nothing of that was held.")


@queue.command()
@common
@_IDS
@click.option("--bounce", is_flag=True, help="Tell the senders that it was cancelled.")
@pass_here
def cancel(here: Here, ids: tuple[int, ...], bounce: bool) -> None:
    """Take messages out of the queue for good; their senders are not told, unless you say --bounce."""
    done = _each(here, ids, lambda tx, item_id: verbs.cancel(tx, item_id, who=operator(), bounce=bounce))
    removed = [address for one in done for address in one.removed]
    marked = [address for one in done for address in one.marked]
    if here.json:
        print_json({"removed": removed, "marked": marked})
    if removed:
        here.say(f"Cancelled for {', '.join(removed)}.")
    if marked and bounce:
        here.say(f"Cancelled for {', '.join(marked)}; the sender is being told.")
    elif marked:
        here.say(f"Being tried at this moment: {', '.join(marked)}. If that fails, it was the last try.")


def _each(here: Here, ids: tuple[int, ...], work: Callable[[Transaction, int], T]) -> list[T]:
    """Do the same to several messages, each in its own transaction."""
    done = []
    with open_store(here) as database:
        for number in ids:
            done.append(_or_problem(number, lambda n=number: database.write(lambda tx: work(tx, n))))  # type: ignore[misc]  # a default binds the number of this turn
    return done


def _or_problem(item_id: int, work: Callable[[], T]) -> T:
    try:
        return work()
    except NoSuchItem:
        raise Problem(
            f"{text_id(item_id)} is not in the queue any more", f"see postroad trace {text_id(item_id)}"
        ) from None


def _row(one: Queued, now: float) -> tuple[object, ...]:
    first, *others = one.recipients
    waiting = [r.due for r in one.recipients if not r.held]
    tried = max(one.recipients, key=lambda r: r.last_at or 0.0)
    return (
        one.item.text_id,
        about_duration(max(0.0, now - one.item.created), parts=1),
        one.item.sender or "<>",
        f"{first.address} +{len(others)}" if others else first.address,
        max(r.attempts for r in one.recipients),
        "held" if not waiting else _next(one, min(waiting), now),
        tried.last_words,
    )


def _next(one: Queued, due: float, now: float) -> str:
    if any(r.leased for r in one.recipients):
        return "trying"
    if due <= now:
        return "now"
    return clock_time(due)[:5] if date(due) == date(now) else date(due)


def _state(recipient: QueuedRecipient) -> str:
    if recipient.cancelled:
        return "cancelled"
    if recipient.leased:
        return "being tried"
    if recipient.held:
        return "held until it is released"
    return "due now" if recipient.due <= time.time() else f"waits until {moment(recipient.due)}"


def _recipients(count: int) -> str:
    return counted(count, "recipient")


def _facts(one: Queued) -> dict[str, Any]:
    return {
        "id": one.item.text_id,
        "sender": str(one.item.sender or ""),
        "created": one.item.created,
        "size": one.item.size,
        "trail": trail_text_id(one.item.trail_id),
        "recipients": [
            {
                "address": str(r.address),
                "destination": r.destination,
                "attempts": r.attempts,
                "next": r.due,
                "held": r.held,
                "cancelled": r.cancelled,
                "trying": r.leased,
                "last_at": r.last_at,
                "last_host": r.last_host,
                "last_reply": r.last_words,
            }
            for r in one.recipients
        ],
    }
