"""What holds for those who send to a domain: its own wishes in front of the settings."""

from dataclasses import dataclass
from typing import TypeVar

from postroad.config.receiving import Receiving
from postroad.directory.domain_policy import DomainPolicy
from postroad.model.networks import Networks

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What holds for one domain; see `[receiving]` for what each of them means."""

    greylisting: bool
    greylist_delay: float
    lists: bool
    lists_refuse: int
    helo: str
    helo_unresolvable: str
    recipients_minute: int
    tarpit: float
    allow: Networks


def wishes_of(settings: Receiving, own: DomainPolicy) -> Wishes:
    """Fill in what the domain leaves to the settings."""
    return Wishes(
        greylisting=settings.greylisting if own.greylisting is None else own.greylisting == "on",
        greylist_delay=_first(own.greylist_delay, settings.greylist_delay),
        lists=own.lists != "off",
        lists_refuse=_first(own.lists_refuse, settings.lists_refuse),
        helo=own.helo or settings.helo,
        helo_unresolvable=own.helo or settings.helo_unresolvable,
        recipients_minute=_first(own.recipients_minute, settings.recipients_minute),
        tarpit=_first(own.tarpit, settings.tarpit),
        allow=Networks((*settings.allow, *(own.allow or "").split())),
    )


def _first(own: T | None, default: T) -> T:
    """A wish of 0 is one, too."""
    return default if own is None else own
