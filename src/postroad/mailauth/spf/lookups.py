"""The questions that one check asks of the DNS, and their limits (RFC 7208 §4.6.4)."""

from collections.abc import Awaitable, Sequence
from ipaddress import IPv4Address, ip_network
from typing import Final, TypeVar

from postroad.mailauth.spf.client import Client, can_be_asked
from postroad.mailauth.spf.result import Verdict
from postroad.model.answers import Answer, Found, NoSuchDomain, TemporaryFailure
from postroad.model.resolver import Resolver

T = TypeVar("T")

TERMS: Final = 10
"""Terms that may cost a look-up: include, a, mx, ptr, exists, redirect, and %{p}."""
VOIDS: Final = 2
"""Look-ups that may find nothing."""
HOSTS: Final = 10
"""MX hosts, and names of an address, that are looked up."""


class Ended(Exception):
    """The check is over before a term has matched; never leaves this package."""

    def __init__(self, verdict: Verdict, problem: str) -> None:
        super().__init__(problem)
        self.verdict: Verdict = verdict
        self.problem = problem


class Lookups:
    """Asks for one check and counts."""

    def __init__(self, resolver: Resolver, client: Client) -> None:
        self._resolver = resolver
        self._client = client
        self._names: list[str] | None = None
        self.terms = 0
        self.voids = 0

    def count(self) -> None:
        """A term that costs a look-up begins.

        Raises:
            Ended: it is one too many.
        """
        self.terms += 1
        if self.terms > TERMS:
            raise Ended("permerror", f"more than {TERMS} terms that need the DNS")

    async def policy(self, domain: str) -> Answer[bytes]:
        """The TXT records of a domain.

        Raises:
            Ended: nobody could say (§4.4).
        """
        return _certain(await self._resolver.txt(domain))

    async def explanation(self, name: str) -> bytes | None:
        """The one TXT record behind exp=; it counts towards no limit (§6.2)."""
        answer = await self._resolver.txt(name) if can_be_asked(name) else NoSuchDomain()
        return answer.records[0] if isinstance(answer, Found) and len(answer.records) == 1 else None

    async def exists(self, name: str) -> bool:
        """Whether a name has an IPv4 address, also for clients with IPv6 (§5.7)."""
        return bool(await self._ask(self._resolver.a(name)))

    async def has_client(self, name: str, prefix4: int, prefix6: int) -> bool:
        """Whether the client is within one of a host's networks (§5.3)."""
        return self._is_near(await self._ask(self._addresses(name)), prefix4, prefix6)

    def _is_near(self, addresses: Sequence[str], prefix4: int, prefix6: int) -> bool:
        ip = self._client.address
        prefix = prefix4 if isinstance(ip, IPv4Address) else prefix6
        return any(ip in ip_network(f"{address}/{prefix}", strict=False) for address in addresses)

    async def mx_has_client(self, name: str, prefix4: int, prefix6: int) -> bool:
        """Whether the client is within a network of one of a domain's MX hosts (§5.4)."""
        records = await self._ask(self._resolver.mx(name))
        if len(records) > HOSTS:
            raise Ended("permerror", f"{name} has more than {HOSTS} MX hosts")
        is_void = False
        for mx in sorted(records):
            if not can_be_asked(mx.host):
                continue
            answer = _certain(await self._addresses(mx.host))
            if isinstance(answer, Found):
                if self._is_near(answer.records, prefix4, prefix6):
                    return True
            elif isinstance(answer, NoSuchDomain):
                self._count_void()  # a fan of names that are not there is what the limit is for (§11.1)
            else:
                is_void = True
        if is_void:
            self._count_void()  # §4.6.4 counts terms: hosts of the other family alone make one void
        return False

    async def is_named_in(self, domain: str) -> bool:
        """Whether a name of the client is that domain or in it, and leads back to the client (§5.5)."""
        for name in await self._names_of_client():
            if _within(name, domain) and await self._leads_back(name):
                return True
        return False

    async def client_name(self, domain: str) -> str:
        """What %{p} says (§7.3): best the domain itself, then a name in it, then any that leads back."""
        names = await self._names_of_client()
        names = sorted(names, key=lambda name: (name != domain, not _within(name, domain)))
        for name in names:
            if await self._leads_back(name):
                return name
        return "unknown"

    async def _names_of_client(self) -> list[str]:
        """At most ten; none when nobody could say (§5.5)."""
        if self._names is None:
            answer = await self._resolver.ptr(str(self._client.address))
            self._names = list(answer.records[:HOSTS]) if isinstance(answer, Found) else []
            if not isinstance(answer, Found | TemporaryFailure):
                self._count_void()
        return self._names

    async def _leads_back(self, name: str) -> bool:
        answer = await self._addresses(name) if can_be_asked(name) else NoSuchDomain()
        return isinstance(answer, Found) and str(self._client.address) in answer.records

    def _addresses(self, name: str) -> Awaitable[Answer[str]]:
        four = isinstance(self._client.address, IPv4Address)
        return self._resolver.a(name) if four else self._resolver.aaaa(name)

    async def _ask(self, question: Awaitable[Answer[T]]) -> Sequence[T]:
        answer = _certain(await question)
        if isinstance(answer, Found):
            return answer.records
        self._count_void()
        return ()

    def _count_void(self) -> None:
        self.voids += 1
        if self.voids > VOIDS:
            raise Ended("permerror", f"more than {VOIDS} look-ups that found nothing")


def _certain(answer: Answer[T]) -> Answer[T]:
    if isinstance(answer, TemporaryFailure):
        raise Ended("temperror", answer.reason)
    return answer


def _within(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")
