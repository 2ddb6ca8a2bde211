"""Lists of addresses in the DNS: block lists and allow lists (RFC 5782)."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Final

from msgspec import Struct

from postroad.model.answers import Found, TemporaryFailure
from postroad.model.clock import Clock
from postroad.model.dns_list import DnsList
from postroad.model.resolver import Resolver
from postroad.obs.log import log

REST_SECONDS: Final = 60.0
"""How long a list that did not answer is not asked."""


class Listed(Struct, frozen=True):
    """What the lists say of one address."""

    score: int = 0
    by: tuple[str, ...] = ()
    """The lists that have it, with their answers."""
    worst: str = ""
    """The zone that speaks most against it."""
    asked: int = 0
    """How many have answered."""
    silent: tuple[str, ...] = ()
    """Those that were asked, or would have been, and do not answer."""


def query_name(address: str, zone: str) -> str:
    """The name to ask for: octets, or nibbles of IPv6, in reverse (§2.1, §2.4)."""
    reverse = ip_address(address).reverse_pointer
    return f"{reverse.removesuffix('.in-addr.arpa').removesuffix('.ip6.arpa')}.{zone}"


class DnsLists:
    """All lists of the settings, for one worker; the resolver keeps their answers."""

    def __init__(self, lists: Sequence[DnsList], timeout: float, resolver: Resolver, clock: Clock) -> None:
        self._lists = lists
        self._timeout = timeout
        self._resolver = resolver
        self._clock = clock
        self._rests: dict[str, float] = {}

    async def look(self, address: str) -> Listed:
        """Ask all lists at once; those that do not answer in time say nothing."""
        try:
            ip_address(address)
        except ValueError:
            return Listed()
        now = self._clock.monotonic()
        asked = [one for one in self._lists if self._rests.get(one.zone, 0.0) <= now]
        tasks = [asyncio.ensure_future(self._ask(one, address)) for one in asked]
        if not tasks:
            return Listed(silent=tuple(one.zone for one in self._lists))
        try:
            _, late = await asyncio.wait(tasks, timeout=self._timeout)
        finally:
            for task in tasks:
                task.cancel()
        for one, task in zip(asked, tasks, strict=True):
            if task in late:
                self._rest(one, "no answer")
        hits = [
            (one, task.result())
            for one, task in zip(asked, tasks, strict=True)
            if task not in late and task.result()
        ]
        against = max(hits, key=lambda hit: hit[0].weight, default=None)
        silent = tuple(one.zone for one in self._lists if self._rests.get(one.zone, 0.0) > now)
        return Listed(
            asked=len(self._lists) - len(silent),
            silent=silent,
            score=sum(one.weight for one, _ in hits),
            by=tuple(f"{one.zone} ({answer})" for one, answer in hits),
            worst=against[0].zone if against and against[0].weight > 0 else "",
        )

    async def _ask(self, one: DnsList, address: str) -> str:
        answer = await self._resolver.a(query_name(address, one.zone))
        if isinstance(answer, TemporaryFailure):
            self._rest(one, answer.reason)
        if not isinstance(answer, Found):
            return ""
        return next((record for record in answer.records if one.counts(record)), "")

    def _rest(self, one: DnsList, reason: str) -> None:
        """A list that is down must not make every peer wait for it."""
        self._rests[one.zone] = self._clock.monotonic() + REST_SECONDS
        log.warning("dnslist.silent", zone=one.zone, reason=reason)
