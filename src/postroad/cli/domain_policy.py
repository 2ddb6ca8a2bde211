"""`postroad domain policy`: what a domain wants of those who send to it."""

from collections.abc import Callable
from typing import Any, Final

import click
from msgspec.structs import asdict, replace

from postroad.cli.database import ask, change_directory
from postroad.cli.here import Here, common, operator, pass_here
from postroad.cli.output import print_facts, print_json
from postroad.config.receiving import LONGEST_TARPIT
from postroad.config.settings import Settings
from postroad.config.values import about_duration, parse_duration
from postroad.db.transaction import Transaction
from postroad.directory.domain_policy import CHOICES, DomainPolicy, policy_of, set_policy
from postroad.model.networks import Networks

_DEFAULT: Final = "default"


class _Wish(click.ParamType[Any]):
    """What `read` makes of a text, or `default`."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == _DEFAULT:
            return value
        try:
            return self._read(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise ValueError(f'"{text}" is not a whole number, {least} or more, nor "{_DEFAULT}"')
        return int(text)

    return read


def _tarpit(text: str) -> float:
    if (seconds := parse_duration(text)) > LONGEST_TARPIT:
        raise ValueError("is longer than 2 minutes: other servers would be gone")
    return seconds


def _networks(text: str) -> str:
    texts = text.replace(",", " ").split()
    Networks(texts)
    return " ".join(texts)


def _choice(name: str) -> click.Choice[str]:
    return click.Choice([*CHOICES[name], _DEFAULT])


@click.command()
@common
@click.argument("name")
@click.option("--greylisting", type=_choice("greylisting"), help="Put senders off whom nobody here knows.")
@click.option("--greylist-delay", type=_Wish("duration", parse_duration), help="When they may come back.")
@click.option("--lists", type=_choice("lists"), help="Refuse who is on the lists of the settings.")
@click.option("--lists-refuse", type=_Wish("sum", _whole(1)), help="From which sum of weights on.")
@click.option("--helo", type=_choice("helo"), help="What follows when a server does not give its own name.")
@click.option("--recipients-minute", type=_Wish("number", _whole(0)), help="So many of one address; 0: any.")
@click.option("--tarpit", type=_Wish("duration", _tarpit), help="What a recipient who is refused costs.")
@click.option("--allow", type=_Wish("networks", _networks), help="Addresses of which nothing is asked.")
@click.option("--dmarc", type=_choice("dmarc"), help="Whether what fails DMARC is refused, or only noted.")
@pass_here
def policy(here: Here, /, name: str, **said: Any) -> None:
    """Show or set what a domain wants of those who send to it.

    "default" leaves it to the tables [receiving] and [sender_auth] of the settings again.
    """
    chosen = {key: None if wish == _DEFAULT else wish for key, wish in said.items() if wish is not None}
    if chosen:

        def work(tx: Transaction) -> DomainPolicy:
            fresh = replace(policy_of(tx, name), **chosen)
            set_policy(tx, name, fresh, who=operator())
            return fresh

        found = change_directory(here, work)
    else:
        found = ask(here, lambda reader: policy_of(reader, name))
    if here.json:
        print_json(asdict(found))
    else:
        print_facts(_facts(found, here.settings()))


def _facts(found: DomainPolicy, settings: Settings) -> list[tuple[str, str]]:
    receiving, sender_auth = settings.receiving, settings.sender_auth
    own = "none of its own"

    def said(wish: object, default: object) -> str:
        return f"{default} (default)" if wish is None else str(wish)

    def lasts(wish: float | None, default: float) -> str:
        return said(None if wish is None else about_duration(wish), about_duration(default))

    return [
        ("greylisting", said(found.greylisting, "on" if receiving.greylisting else "off")),
        ("greylist-delay", lasts(found.greylist_delay, receiving.greylist_delay)),
        ("lists", said(found.lists, "on" if receiving.lists else "none named")),
        ("lists-refuse", said(found.lists_refuse, receiving.lists_refuse)),
        ("helo", said(found.helo, receiving.helo)),
        ("recipients-minute", said(found.recipients_minute, receiving.recipients_minute)),
        ("tarpit", lasts(found.tarpit, receiving.tarpit)),
        ("allow", said(found.allow, ", ".join(receiving.allow) or own)),
        ("dmarc", said(found.dmarc, sender_auth.policy if sender_auth.enabled else "off")),
    ]
