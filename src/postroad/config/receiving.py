"""Whom mail is taken from: the `[receiving]` table of the settings. All is off by default, at no cost."""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from postroad.config.fields import Count, Duration, Natural

LONGEST_TARPIT: Final = 120.0
"""Seconds: clients wait five minutes for the answer to RCPT (RFC 5321 §4.5.3.2.3), some of them less."""

Check: TypeAlias = Literal["off", "warn", "refuse"]
"""warn: it is in the trail of the message, and nothing follows from it."""


class Receiving(msgspec.Struct, frozen=True, kw_only=True):
    """The `[receiving]` table."""

    greeting_delay: Annotated[
        Duration, "How long other servers wait for the greeting; who talks before it is turned away."
    ] = 0
    helo: Annotated[
        Check,
        "What follows when a server greets us by our own name, by a name without a dot, or by an address "
        "that it has not.",
    ] = "off"
    helo_unresolvable: Annotated[Check, "The same for a name that the DNS says is not there."] = "off"
    lists: Annotated[
        tuple[str, ...],
        "Lists of addresses in the DNS (RFC 5782), each with the answers that count and its weight: "
        '"bl.example.net", "bl.example.net=127.0.0.[2..11]*3", "allow.example.net*-2". Allow lists have '
        "weights below 0.",
    ] = ()
    lists_refuse: Annotated[Count, "The sum of weights from which on mail is refused."] = 1
    lists_timeout: Annotated[
        Duration, "How long all lists have; one that has not answered by then does not count."
    ] = 3
    greylisting: Annotated[
        bool, "Put the first mail of a sender whom nobody here knows off for a while; spammers seldom return."
    ] = False
    greylist_delay: Annotated[Duration, "When a sender may come back."] = 300
    greylist_retry: Annotated[Duration, "When it must have been back; later it begins anew."] = 2 * 86400
    greylist_lifetime: Annotated[Duration, "How long it is known after its last mail."] = 36 * 86400
    greylist_allow_after: Annotated[
        Count, "So many senders of a network that came back allow the whole network."
    ] = 5

    recipients_minute: Annotated[
        Natural, "Recipients of one domain that one address (IPv6: one /64) may name within a minute; 0: any."
    ] = 0
    tarpit: Annotated[
        Duration, "How long the answer waits that refuses a recipient for good; at most 2 minutes."
    ] = 0
    allow: Annotated[
        tuple[str, ...], "Addresses and networks of which none of this is asked, nor how much they send."
    ] = ()

    @property
    def checks(self) -> bool:
        """Whether anything is asked about recipients."""
        return bool(
            self.helo != "off"
            or self.helo_unresolvable != "off"
            or self.lists
            or self.greylisting
            or self.recipients_minute
            or self.tarpit
        )
