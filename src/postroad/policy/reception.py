"""Whether a stranger may write to a recipient: its name, the lists it is on, whether it has been here before.

Everything is asked when the first recipient is named: who names none costs
nothing, and each domain may want it otherwise. postmaster@ and abuse@ are
open to all (RFC 5321 §4.5.1, RFC 2142 §5), so that who is refused can ask.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from math import ceil
from typing import Final, Protocol

from msgspec.structs import replace

from postroad.config.receiving import Receiving
from postroad.config.values import about_duration
from postroad.db.database import Database
from postroad.directory.domain_policy import DomainPolicy, policies
from postroad.model.address import Address
from postroad.model.clock import Clock
from postroad.model.dns_list import parse_list
from postroad.model.envelope import Peer
from postroad.model.networks import Networks
from postroad.model.refusal import Refused, Unavailable
from postroad.model.resolver import Resolver
from postroad.obs.log import log
from postroad.obs.metrics import RECEPTION
from postroad.policy import greylist
from postroad.policy.dns_lists import DnsLists, Listed
from postroad.policy.greylist import Triplet
from postroad.policy.helo import faults_of, is_unresolvable
from postroad.policy.wishes import Wishes, wishes_of

_NOT_THERE: Final = "it greets us by a name that the DNS does not have"
_OPEN: Final = frozenset({"postmaster", "abuse"})


class Counts(Protocol):
    """Counts over all workers (see `policy.shared_counts`)."""

    def names_too_many(self, address: str, domain: str, most: int) -> bool:
        """Count a recipient that a peer names at a domain, unless it has named `most` within a minute."""
        ...


class Reception:
    """The checks of one worker."""

    def __init__(
        self,
        settings: Receiving,
        hostname: str,
        resolver: Resolver,
        clock: Clock,
        database: Database,
        counts: Counts,
    ) -> None:
        self.settings = settings
        self.hostname = hostname
        self.resolver = resolver
        self.database = database
        self.clock = clock
        self.counts = counts
        lists = [parse_list(text) for text in settings.lists]
        self.lists = DnsLists(lists, settings.lists_timeout, resolver, clock) if lists else None
        self._always = Networks(settings.allow)
        self._default = wishes_of(settings, DomainPolicy())
        self._own: dict[str, Wishes] = {}
        self.refresh()

    def greeting_delay(self, address: str, listener: float | None) -> float:
        """Seconds for which the greeting is held back from a peer; `listener` is what that one wants."""
        if address in self._always:
            return 0.0
        return self.settings.greeting_delay if listener is None else listener

    def refresh(self) -> None:
        """Read what domains want of their own; the directory has changed."""
        found = self.database.read(policies)
        self._own = {name: wishes_of(self.settings, own) for name, own in found.items()}

    def visit(self) -> "Visit | None":
        """Begin with a peer; None where nothing is ever asked."""
        return Visit(self) if self.settings.checks or self._own else None

    def wishes(self, domain: str) -> Wishes:
        """What holds for a domain."""
        return self._own.get(domain, self._default)


@dataclass(slots=True)
class Visit:
    """One peer and what has been found out about it."""

    reception: Reception
    facts: dict[str, None] = field(default_factory=dict)
    """For the trail of its messages, in sentences."""
    _waited: float = 0.0
    """Seconds, in the tarpit."""
    _listed: Listed | None = None
    _helo: str | None = None
    _fault: str = ""
    _unresolvable: bool | None = None
    """None: nobody has wanted to know yet."""

    async def check(self, peer: Peer, sender: Address | None, recipient: Address) -> None:
        """Let a recipient be, or say why not.

        Raises:
            Refused: 550 5.7.1 for its name, 554 5.7.1 for its address, 450 4.7.1 to come again.
        """
        if recipient.local.lower() in _OPEN or not _is_far(peer.address):
            return
        wishes = self.reception.wishes(recipient.domain)
        if peer.address in wishes.allow:
            self.facts[f"its address is one that {recipient.domain} always takes mail from"] = None
            return
        if wishes.helo != "off" or wishes.helo_unresolvable != "off":
            await self._check_helo(peer, wishes)
        listed = await self._lists_of(peer.address, wishes)
        if wishes.lists and listed.score >= wishes.lists_refuse:
            RECEPTION.labels("lists", "refused").inc()
            public = f"{peer.address} is listed by {listed.worst}"
            raise Refused(554, "5.7.1", public, f"score {listed.score}: {', '.join(listed.by)}")
        self._check_rate(peer.address, recipient.domain, wishes)
        if wishes.greylisting and listed.score >= 0:
            await self._greylist(peer, sender, recipient, wishes)

    async def slow_down(self, peer: Peer, recipient: Address, code: int) -> None:
        """Let who named a recipient that was refused for good wait, as its domain wants (a tarpit)."""
        wishes = self.reception.wishes(recipient.domain)
        if code < 500 or not wishes.tarpit or not _is_far(peer.address) or peer.address in wishes.allow:
            return
        RECEPTION.labels("tarpit", "waited").inc()
        self._waited += wishes.tarpit
        await self.reception.clock.sleep(wishes.tarpit)

    def said(self) -> Iterator[str]:
        """What was found out, in sentences for the trail."""
        yield from self.facts
        if self._waited:
            yield f"it waited {about_duration(self._waited)} for what it was told (tarpit)"

    def _check_rate(self, address: str, domain: str, wishes: Wishes) -> None:
        most = wishes.recipients_minute
        if most and self.reception.counts.names_too_many(address, domain, most):
            RECEPTION.labels("rate", "deferred").inc()
            public = f"too many recipients at {domain} from your address in a minute"
            raise Refused(450, "4.7.1", public, f"recipients_minute is {most}")

    async def _check_helo(self, peer: Peer, wishes: Wishes) -> None:
        if self._helo != peer.helo:
            self._helo, self._unresolvable = peer.helo, None
            self._fault = faults_of(peer.helo, peer.address, self.reception.hostname)
        fault = self._fault
        if self._unresolvable is None and not fault and wishes.helo_unresolvable != "off":
            self._unresolvable = await is_unresolvable(peer.helo, self.reception.resolver)
        for said, follows in (
            (fault, wishes.helo),
            (_NOT_THERE * bool(self._unresolvable), wishes.helo_unresolvable),
        ):
            if not said or follows == "off":
                continue
            RECEPTION.labels("helo", "refused" if follows == "refuse" else "warned").inc()
            if follows == "refuse":
                raise Refused(
                    550, "5.7.1", "your server's name in EHLO is not its own", f"{said}: {peer.helo}"
                )
            self.facts[said] = None

    async def _lists_of(self, address: str, wishes: Wishes) -> Listed:
        if self._listed is not None:
            return self._listed
        lists = self.reception.lists
        if lists is None or not (wishes.lists or wishes.greylisting):
            return Listed()
        self._listed = listed = await lists.look(address)
        if listed.by:
            RECEPTION.labels("lists", "listed").inc()
        on = ", ".join(listed.by) or f"none of the {listed.asked} lists that were asked"
        self.facts[f"its address is on {on}"] = None
        if listed.silent:
            self.facts[f"no answer from {', '.join(listed.silent)}"] = None
        return self._listed

    async def _greylist(self, peer: Peer, sender: Address | None, recipient: Address, wishes: Wishes) -> None:
        reception = self.reception
        triplet = Triplet(greylist.network_of(peer.address), sender.key if sender else "", recipient.key)
        domain, now = sender.domain if sender else "", reception.clock.now()
        why = reception.database.read(partial(greylist.why_known, triplet=triplet, domain=domain, now=now))
        if why:
            RECEPTION.labels("greylisting", "known").inc()
            self.facts[f"no greylisting: {why}"] = None
            return
        settings = replace(reception.settings, greylist_delay=wishes.greylist_delay)
        try:
            wait = await reception.database.write(partial(greylist.come, triplet=triplet, settings=settings))
        except Unavailable as error:
            log.warning("greylist.unavailable", error=str(error))  # its own trouble costs nobody mail
            return
        if wait is None:
            RECEPTION.labels("greylisting", "passed").inc()
            self.facts["it came back after greylisting"] = None
            return
        RECEPTION.labels("greylisting", "deferred").inc()
        raise Refused(450, "4.7.1", f"greylisted, try again in {ceil(wait.seconds)} seconds")


def _is_far(address: str) -> bool:
    """Whether a peer is on another machine; nothing is asked about this one."""
    try:
        return not ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
