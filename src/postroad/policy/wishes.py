"""What holds for those who send to a domain: its own wishes in front of the settings."""

from dataclasses import dataclass

from postroad.config.receiving import Receiving
from postroad.directory.domain_policy import DomainPolicy
from postroad.model.networks import Networks


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
        greylist_delay=settings.greylist_delay if own.greylist_delay is None else own.greylist_delay,
        lists=own.lists != "off",
        lists_refuse=settings.lists_refuse if own.lists_refuse is None else own.lists_refuse,
        helo=own.helo or settings.helo,
        helo_unresolvable=own.helo or settings.helo_unresolvable,
        recipients_minute=(
            settings.recipients_minute if own.recipients_minute is None else own.recipients_minute
        ),
        tarpit=settings.tarpit if own.tarpit is None else own.tarpit,
        allow=Networks((*settings.allow, *(own.allow or "").split())),
    )
