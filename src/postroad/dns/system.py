"""A resolver over the network (aiodns), with a small cache that honours TTLs."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import aiodns
import pycares

from postroad.dns.patience import Patience
from postroad.dns.servers import Server, believed
from postroad.model.answers import Answer, Found, Mx, NoData, NoSuchDomain, TemporaryFailure, Tlsa
from postroad.model.clock import Clock

if TYPE_CHECKING:
    from postroad.dns.validating import ValidatingResolver

T = TypeVar("T")

CACHED: Final = 10_000
"""Answers kept."""
_PROVED: Final = " AD"
"""Behind the kind of an answer of which it is known whether it is secure."""
KEPT_RECORDS: Final = 32
KEPT_OCTETS: Final = 4096
"""A larger answer is used once and asked for again: a stranger's DNS must not fill our memory."""
TTL_MOST: Final = 3600
NEGATIVE_SECONDS: Final = 60
"""How long "there is none" is believed; the SOA is not shown to us."""
FAILED_SECONDS: Final = 1
"""How long nobody is asked again what could not be answered: the least that RFC 9520 §3.2 wants."""

_TYPES: Final = {
    "A": pycares.QUERY_TYPE_A,
    "AAAA": pycares.QUERY_TYPE_AAAA,
    "MX": pycares.QUERY_TYPE_MX,
    "PTR": pycares.QUERY_TYPE_PTR,
    "TXT": pycares.QUERY_TYPE_TXT,
}
_NO_DATA: Final = frozenset({pycares.errno.ARES_ENODATA})
_NO_NAME: Final = frozenset({pycares.errno.ARES_ENOTFOUND, pycares.errno.ARES_EBADNAME})


class SystemResolver:
    """Asks the configured servers, or those of the system."""

    def __init__(
        self,
        servers: Sequence[str],
        timeout: float,
        clock: Clock,
        dnssec: Literal["auto", "on", "off"] = "off",
    ) -> None:
        """`servers` are `192.0.2.53` or `192.0.2.53:5353`; `timeout` is for one whole question.

        `dnssec` says whether they are believed when they call an answer secure:
        with `auto` they are where all of them are on this machine.
        """
        options: dict[str, Any] = {"timeout": max(0.5, timeout / 2), "tries": 2}
        if servers:
            options["nameservers"] = list(servers)
        self._resolver = aiodns.DNSResolver(**options)
        self._patience = Patience(timeout)
        self._clock = clock
        self._cache: OrderedDict[tuple[str, str], tuple[float, Answer[Any]]] = OrderedDict()
        self._validating = _validating(believed(servers, dnssec), timeout)

    @property
    def validates(self) -> bool:
        """Whether answers can be secure."""
        return self._validating is not None

    async def mx(self, domain: str) -> Answer[Mx]:
        """See `Resolver.mx`."""
        if self._validating is not None:
            return await self._secure(domain, "MX", lambda data: Mx(data.preference, _text(data.exchange)))
        return await self._ask(domain, "MX", lambda data: Mx(data.priority, _name(data.exchange)))

    async def addresses(self, host: str) -> Answer[str]:
        """See `Resolver.addresses`."""
        mark = "" if self._validating is None else _PROVED
        six, four = self._known(host, f"AAAA{mark}"), self._known(host, f"A{mark}")
        if six is not None and four is not None:
            return both(six, four)
        if mark:
            return both(
                *await asyncio.gather(
                    self._secure(host, "AAAA", lambda data: str(ip_address(data.address))),
                    self._secure(host, "A", lambda data: str(ip_address(data.address))),
                )
            )
        return both(*await asyncio.gather(self.aaaa(host), self.a(host)))

    async def a(self, host: str) -> Answer[str]:
        """See `Resolver.a`."""
        return await self._ask(host, "A", lambda data: str(ip_address(data.addr)))

    async def aaaa(self, host: str) -> Answer[str]:
        """See `Resolver.aaaa`."""
        return await self._ask(host, "AAAA", lambda data: str(ip_address(data.addr)))

    async def txt(self, name: str) -> Answer[bytes]:
        """See `Resolver.txt`."""
        return await self._ask(name, "TXT", lambda data: bytes(data.data))

    async def ptr(self, address: str) -> Answer[str]:
        """See `Resolver.ptr`."""
        name = ip_address(address).reverse_pointer
        return await self._ask(name, "PTR", lambda data: _name(data.dname))

    async def tlsa(self, name: str) -> Answer[Tlsa]:
        """See `Resolver.tlsa`."""
        if self._validating is None:
            return NoData()
        answer = await self._secure(
            name, "TLSA", lambda data: Tlsa(data.usage, data.selector, data.mtype, bytes(data.cert))
        )
        return NoData() if isinstance(answer, Found) and not answer.secure else answer

    async def alias_is_secure(self, name: str) -> bool | TemporaryFailure:
        """See `Resolver.alias_is_secure`."""
        if self._validating is None:
            return False
        answer = await self._secure(name, "CNAME", lambda data: _text(data.target))
        if isinstance(answer, TemporaryFailure):
            return answer
        return isinstance(answer, Found) and answer.secure

    async def close(self) -> None:
        """End all questions."""
        await self._resolver.close()

    async def _secure(self, name: str, kind: str, read: Callable[[Any], T]) -> Answer[T]:
        """Ask for an answer of which it is known whether it is secure."""
        from postroad.dns.validating import Question

        assert self._validating is not None
        validating, question = self._validating, Question(name, kind, read)
        # Under a key of their own: other questions for the same records do without the proof.
        return await self._kept(name, f"{kind}{_PROVED}", lambda: validating.ask(question))

    async def _ask(self, name: str, kind: str, read: Callable[[Any], T]) -> Answer[T]:
        return await self._kept(name, kind, lambda: self._question(name, kind, read))

    async def _kept(self, name: str, kind: str, ask: Callable[[], Awaitable[Answer[T]]]) -> Answer[T]:
        """The answer that is remembered, or a new one."""
        known = self._known(name, kind)
        if known is not None:
            return known
        key, now = (name.lower(), kind), self._clock.monotonic()
        answer = await ask()
        match answer:
            case Found(records, ttl) if _is_small(records):
                self._keep(key, now + min(ttl, TTL_MOST), answer)
            case NoData() | NoSuchDomain():
                self._keep(key, now + NEGATIVE_SECONDS, answer)
            case TemporaryFailure():
                self._keep(key, self._clock.monotonic() + FAILED_SECONDS, answer)
            case _:
                pass
        return answer

    def _known(self, name: str, kind: str) -> Answer[Any] | None:
        """The answer that is remembered."""
        key = (name.lower(), kind)
        kept = self._cache.get(key)
        if kept is None or kept[0] <= self._clock.monotonic():
            return None
        self._cache.move_to_end(key)
        return kept[1]

    async def _question(self, name: str, kind: str, read: Callable[[Any], T]) -> Answer[T]:
        patience = self._patience.seconds()
        try:
            async with asyncio.timeout(patience):
                result = await _as_awaitable(self._resolver.query_dns(name, kind))
        except aiodns.error.DNSError as error:
            code = error.args[0]
            if code == pycares.errno.ARES_ETIMEOUT:
                self._patience.silent()
            else:
                self._patience.answered()
            if code in _NO_DATA:
                return NoData()
            if code in _NO_NAME:
                return NoSuchDomain()
            return TemporaryFailure(f"{kind} {name}: {error.args[1]}")
        except TimeoutError:
            self._patience.silent()
            return TemporaryFailure(f"{kind} {name}: no answer within {patience:g} s")
        self._patience.answered()
        # CNAMEs on the way are in the answer too.
        records = [record for record in result.answer if record.type == _TYPES[kind]]
        if not records:
            return NoData()
        return Found(tuple(read(r.data) for r in records), min(r.ttl for r in records))

    def _keep(self, key: tuple[str, str], until: float, answer: Answer[Any]) -> None:
        self._cache[key] = (until, answer)
        self._cache.move_to_end(key)
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)


def both(six: Answer[str], four: Answer[str]) -> Answer[str]:
    """Make one answer of AAAA and A; a failure of one matters only when the other has nothing."""
    found = [answer for answer in (six, four) if isinstance(answer, Found)]
    if found:
        return Found(
            tuple(r for answer in found for r in answer.records),
            min(a.ttl for a in found),
            secure=all(a.secure for a in found),
            name=found[0].name,
        )
    for answer in (six, four):
        if isinstance(answer, TemporaryFailure):
            return answer
    return NoSuchDomain() if isinstance(four, NoSuchDomain) else NoData()


def _is_small(records: Sequence[Any]) -> bool:
    octets = sum(len(record) for record in records if isinstance(record, bytes))
    octets += sum(len(record.data) for record in records if isinstance(record, Tlsa))
    return len(records) <= KEPT_RECORDS and octets <= KEPT_OCTETS


def _name(name: str) -> str:
    return name.rstrip(".").lower()


def _as_awaitable(question: Any) -> Awaitable[Any]:
    awaitable: Awaitable[Any] = question
    return awaitable


def _text(name: Any) -> str:
    from postroad.dns.validating import canonical

    return canonical(name)


def _validating(servers: Sequence[Server] | None, timeout: float) -> ValidatingResolver | None:
    """What asks for secure answers; None where nobody is believed."""
    if servers is None:
        return None
    # Not at the top: it takes memory, and most machines have no validating resolver.
    from postroad.dns.validating import ValidatingResolver

    return ValidatingResolver(servers, timeout)
