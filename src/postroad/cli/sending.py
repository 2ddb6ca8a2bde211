"""`postroad account sending`: how much an account may send."""

import time
from typing import Any

import click
from msgspec.structs import asdict

from postroad.cli.database import ask, change_directory
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import print_facts, print_json
from postroad.config.limits import Limits
from postroad.db.transaction import Reader, Transaction
from postroad.directory import accounts, send_limits
from postroad.directory.errors import NoSuchAccount
from postroad.directory.send_limits import Own, SendLimits, Sent


class _Most(click.ParamType[int]):
    """A number, or `any`."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if str(value).lower() == "any":
            return 0
        if not str(value).isascii() or not str(value).isdigit() or not 0 < int(value) < 10**9:
            self.fail(f'"{value}" is neither a number nor any', param, ctx)
        return int(value)


_MOST = _Most()


@click.command()
@common
@click.argument("address")
@click.option("--messages-hour", type=_MOST, metavar="N", help="Messages within an hour.")
@click.option("--messages-day", type=_MOST, metavar="N", help="Messages within a day.")
@click.option("--recipients-hour", type=_MOST, metavar="N", help="New people elsewhere within an hour.")
@click.option("--recipients-day", type=_MOST, metavar="N", help="New people elsewhere within a day.")
@click.option("--default", is_flag=True, help="As the settings say, for all of these.")
@pass_here
def sending(
    here: Here,
    address: str,
    messages_hour: int | None,
    messages_day: int | None,
    recipients_hour: int | None,
    recipients_day: int | None,
    default: bool,
) -> None:
    """Show how much an account may send and has sent, or set it: N is a number, or any.

    New people are addresses elsewhere that it has not written to before.
    """
    given = Own(messages_hour, messages_day, recipients_hour, recipients_day)
    if default and given != Own():
        raise click.UsageError("say numbers, or --default")
    if default or given != Own():

        def work(tx: Transaction) -> None:
            before = send_limits.own_limits(tx, _account(tx, address))
            fresh = {name: value for name, value in asdict(given).items() if value is not None}
            own = Own() if default else Own(**{**asdict(before), **fresh})
            send_limits.set_limits(tx, address, own, who=operator())

        change_directory(here, work)
    limits = here.settings().limits
    allowed, sent = ask(here, lambda reader: _question(reader, address, limits))
    if here.json:
        print_json({"allowed": asdict(allowed), "sent": asdict(sent)})
        return
    print_facts(
        [
            ("messages within an hour", _of(sent.messages_hour, allowed.messages_hour)),
            ("messages within a day", _of(sent.messages_day, allowed.messages_day)),
            ("new people within an hour", _of(sent.recipients_hour, allowed.recipients_hour)),
            ("new people within a day", _of(sent.recipients_day, allowed.recipients_day)),
        ]
    )


def _question(reader: Reader, address: str, limits: Limits) -> tuple[SendLimits, Sent]:
    account_id = _account(reader, address)
    general = send_limits.of_settings(limits)
    allowed = send_limits.own_limits(reader, account_id).over(general)
    return allowed, send_limits.sent(reader, account_id, time.time())


def _account(reader: Reader, address: str) -> int:
    found = accounts.by_key(reader, accounts.parsed(address).key)
    if found is None:
        raise NoSuchAccount(f"there is no account {address}")
    return found.id


def _of(sent: int, most: int) -> str:
    return f"{sent} of {most}" if most else f"{sent}, any number may be"
