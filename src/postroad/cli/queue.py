"""`postroad queue`: mail on its way to other servers."""

import functools
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import click

from postroad.cli.bounds import DURATION
from postroad.cli.database import ask, open_store
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import Column, Problem, print_facts, print_json, print_table
from postroad.cli.queue_facts import facts_of
from postroad.cli.times import clock_time, date, moment
from postroad.config.values import about_duration, about_size
from postroad.db.transaction import Transaction
from postroad.directory.accounts import parsed
from postroad.directory.domains import normal
from postroad.directory.resolve import is_local_domain
from postroad.model.address import Address
from postroad.model.counted import counted
from postroad.queue import verbs
from postroad.queue.item import Item, QueuedRecipient, from_text_id, read_item, text_id
from postroad.queue.pick import Filter, pick
from postroad.queue.verbs import Cancelled, NoSuchItem, Queued
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


class _Which:
    """Options of a command that say which messages are meant; together they have to fit."""

    _OPTIONS = (
        click.argument("ids", type=_ItemId(), nargs=-1, metavar="[ID...]"),
        click.option("--destination", metavar="DOMAIN", help="Only what is for this domain."),
        click.option(
            "--from", "sender", metavar="ADDRESS", help="Only of this sender or @DOMAIN; <>: notices."
        ),
        click.option("--to", "recipient", metavar="ADDRESS", help="Only for this recipient."),
        click.option("--older", type=DURATION, metavar="DURATION", help='Only what is older, as in "2 h".'),
        click.option("--said", metavar="TEXT", help="Only where the last try came to this, in part."),
        click.option("--all", "everything", is_flag=True, help="Everything."),
    )

    def __call__(self, command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def wrapped(
            *args: Any,
            ids: tuple[int, ...],
            destination: str | None,
            sender: str | None,
            recipient: str | None,
            older: float | None,
            said: str | None,
            everything: bool,
            **more: Any,
        ) -> None:
            wanted = Filter(
                ids,
                normal(destination) if destination else "",
                None if sender is None else sender.strip("<>"),
                recipient or "",
                older,
                said or "",
            )
            if (wanted == Filter()) != everything:
                raise click.UsageError("say which: ids, --destination, --from, --to, --older, --said, --all")
            command(*args, wanted=wanted, **more)

        for option in reversed(self._OPTIONS):
            wrapped = option(wrapped)
        return wrapped


_which = _Which()


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
        print_json([facts_of(one) for one in found])
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
        print_json(facts_of(found))
        return
    item = found.item
    print_facts(
        [
            ("id", item.text_id),
            ("from", item.sender or "<>"),
            ("since", f"{moment(item.created)}, {about_duration(max(0.0, time.time() - item.created))} ago"),
            ("size", about_size(item.size)),
            ("priority", item.priority or ""),
            ("by", moment(item.deliver_by.at) if item.deliver_by is not None else ""),
            ("trail", trail_text_id(item.trail_id)),
        ]
    )
    for recipient in found.recipients:
        click.echo()
        print_facts(
            [
                ("to", recipient.address),
                ("state", _state(item, recipient)),
                ("tries", recipient.attempts),
                ("last try", moment(recipient.last_at) if recipient.last_at else ""),
                ("at", recipient.last_host),
                ("said", recipient.last_words),
            ]
        )
    here.next(f"postroad trace {item.text_id}")


@queue.command()
@common
@_which
@pass_here
def retry(here: Here, wanted: Filter) -> None:
    """Try again now, instead of at the time that was planned.

    What is held stays held, by an operator or by its sender's wish.
    """
    counts = _each(here, wanted, lambda tx, item_id, numbers: verbs.retry(tx, item_id, numbers=numbers))
    count = sum(counts)
    if here.json:
        print_json({"recipients": count})
    if not here.settings().queue.remote:
        here.say("This server delivers nothing to others: [queue] remote is false.")
    else:
        here.say(f"Trying {_recipients(count)} now." if count else "Nothing is waiting for that.")


@queue.command()
@common
@_which
@pass_here
def hold(here: Here, wanted: Filter) -> None:
    """Keep messages in the queue, untried, until they are released."""
    counts = _each(here, wanted, partial(_hold, who=operator()))
    if here.json:
        print_json({"recipients": sum(counts)})
    here.say(f"Held for {_recipients(sum(counts))}." if counts else "Nothing is waiting for that.")
    if wanted.ids and counts:
        here.next(f"postroad queue release {' '.join(map(text_id, wanted.ids))}")


@queue.command()
@common
@_which
@pass_here
def release(here: Here, wanted: Filter) -> None:
    """Let held messages go, also those that their senders have put off; they are tried at once."""
    counts = _each(here, wanted, partial(_release, who=operator()))
    if here.json:
        print_json({"recipients": sum(counts)})
    here.say(f"Released for {_recipients(sum(counts))}." if sum(counts) else "Nothing of that was held.")


@queue.command()
@common
@_which
@click.option("--in", "wait", type=DURATION, required=True, metavar="DURATION", help="So long from now.")
@pass_here
def reschedule(here: Here, wanted: Filter, wait: float) -> None:
    """Plan the next try for another time."""
    at = time.time() + wait
    counts = _each(here, wanted, partial(_reschedule, who=operator(), at=at))
    if here.json:
        print_json({"recipients": sum(counts), "next": at})
    if sum(counts):
        here.say(f"Trying {_recipients(sum(counts))} at {moment(at)}.")
    else:
        here.say("Nothing is waiting for that.")


@queue.command()
@common
@click.argument("address")
@_which
@pass_here
def redirect(here: Here, address: str, wanted: Filter) -> None:
    """Send messages to ADDRESS, which is elsewhere, in place of those that they wait for."""
    to = parsed(address)
    if ask(here, lambda reader: is_local_domain(reader, to.domain)):
        raise Problem(f"{to.unicode} is an address of this server", "redirect is for addresses elsewhere")
    counts = _each(here, wanted, partial(_redirect, who=operator(), to=to))
    if here.json:
        print_json({"recipients": sum(counts), "to": str(to)})
    here.say(f"Going to {to.unicode} in place of {_recipients(sum(counts))}." if sum(counts) else _NOTHING)


@queue.command()
@common
@_which
@click.option("--bounce", is_flag=True, help="Tell the senders that it was cancelled.")
@pass_here
def cancel(here: Here, wanted: Filter, bounce: bool) -> None:
    """Take messages out of the queue for good; their senders are not told, unless you say --bounce."""
    done = _each(here, wanted, partial(_cancel, who=operator(), bounce=bounce))
    removed = [address for one in done for address in one.removed]
    marked = [address for one in done for address in one.marked]
    if here.json:
        print_json({"removed": removed, "marked": marked})
    if removed:
        here.say(f"Cancelled for {_some(removed)}.")
    if marked and bounce:
        here.say(f"Cancelled for {_some(marked)}; the sender is being told.")
    elif marked:
        here.say(f"Being tried at this moment: {_some(marked)}. If that fails, it was the last try.")
    if not done:
        here.say(_NOTHING)


_NOTHING = "Nothing is waiting for that."
_NAMED = 5


def _some(addresses: Sequence[str]) -> str:
    if len(addresses) <= _NAMED:
        return ", ".join(addresses)
    return f"{', '.join(addresses[:_NAMED])} and {len(addresses) - _NAMED} more"


def _hold(tx: Transaction, item_id: int, numbers: Collection[int], who: str) -> int:
    return verbs.hold(tx, item_id, who=who, numbers=numbers)


def _release(tx: Transaction, item_id: int, numbers: Collection[int], who: str) -> int:
    return verbs.release(tx, item_id, who=who, numbers=numbers)


def _reschedule(tx: Transaction, item_id: int, numbers: Collection[int], who: str, at: float) -> int:
    return verbs.reschedule(tx, item_id, at=at, who=who, numbers=numbers)


def _redirect(tx: Transaction, item_id: int, numbers: Collection[int], who: str, to: Address) -> int:
    return verbs.redirect(tx, item_id, to, who=who, numbers=numbers)


def _cancel(tx: Transaction, item_id: int, numbers: Collection[int], who: str, bounce: bool) -> Cancelled:
    return verbs.cancel(tx, item_id, who=who, bounce=bounce, numbers=numbers)


def _each(here: Here, wanted: Filter, work: Callable[[Transaction, int, Collection[int]], T]) -> list[T]:
    """Do the same to every message that is meant, each in its own transaction.

    Raises:
        Problem: a message that was named is not there.
    """
    done = []
    with open_store(here) as database:
        found = database.read(lambda reader: pick(reader, wanted, time.time()))
        for number in wanted.ids:
            if number not in found and database.read(partial(read_item, item_id=number)) is None:
                raise _gone(number)
        for number, numbers in found.items():
            with suppress(NoSuchItem):  # it has left while the others had their turn
                done.append(database.write(_bound(work, number, numbers)))
    return done


def _bound(
    work: Callable[[Transaction, int, Collection[int]], T], item_id: int, numbers: Collection[int]
) -> Callable[[Transaction], T]:
    return lambda tx: work(tx, item_id, numbers)


def _gone(item_id: int) -> Problem:
    name = text_id(item_id)
    return Problem(f"{name} is not in the queue any more", f"see postroad trace {name}")


def _or_problem(item_id: int, work: Callable[[], T]) -> T:
    try:
        return work()
    except NoSuchItem:
        raise _gone(item_id) from None


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


def _state(item: Item, recipient: QueuedRecipient) -> str:
    if recipient.cancelled:
        return "cancelled"
    if recipient.leased:
        return "being tried"
    if recipient.held:
        return "held until it is released"
    if item.release is not None and time.time() < item.release.at <= recipient.due:
        return f"waits until {moment(recipient.due)}, as its sender wishes"
    return "due now" if recipient.due <= time.time() else f"waits until {moment(recipient.due)}"


def _recipients(count: int) -> str:
    return counted(count, "recipient")
