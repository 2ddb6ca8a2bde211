"""How securely a host has to be talked to: DANE, MTA-STS, what the sender asked for, or whatever there is.

DANE comes first, and MTA-STS cannot overrule it (RFC 8461 §2). A demand that
cannot be found out is no reason to do without: the host is not used then.
"""

import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

from msgspec import Struct

from postroad.delivery.mtasts import NOTHING, Known, StsPolicies
from postroad.dns.route import Host, Route
from postroad.mailauth import dane
from postroad.mailauth.mtasts import Mode, Policy
from postroad.model.answers import Found, TemporaryFailure, Tlsa
from postroad.model.clock import Clock
from postroad.model.envelope import Wish
from postroad.model.resolver import Resolver
from postroad.smtp.security import Security, opportunistic_context, verifying_context


class Applied(Struct, frozen=True):
    """The policy that was applied, as reports name it (RFC 8460 §4.2)."""

    kind: str
    """tlsa, sts or no-policy-found."""
    strings: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()


_GENERAL: Final = "validation-failure"
_NOT_NAMED: Final = "mx-mismatch"
NO_POLICY: Final = Applied("no-policy-found")


class Demand(Struct, frozen=True):
    """What holds for one host."""

    security: Security
    key: str = ""
    """Connections under the same key are as good as one another."""
    applied: Applied = NO_POLICY
    lenient: bool = False
    """Where it is not met the message goes all the same; it is only reported (MTA-STS testing)."""
    fault: str = ""
    """What is wrong whatever the connection is like, as a result type of RFC 8460 §4.3, if it is borne."""
    fault_code: str = ""
    """More of it: failure-reason-code."""


class Forbidden(Struct, frozen=True):
    """A host that must not be used."""

    status: str
    text: str
    applied: Applied
    result: str
    """A result type of RFC 8460 §4.3."""
    code: str = ""
    """More of it: failure-reason-code."""


class DomainDemands(Struct, frozen=True):
    """What is known of a destination, before its hosts."""

    domain: str
    route: Route
    sts: Known


class Demands:
    """Finds out what holds, for one worker."""

    def __init__(
        self,
        resolver: Resolver,
        clock: Clock,
        policies: StsPolicies | None,
        trust: Callable[[], ssl.SSLContext] = verifying_context,
    ) -> None:
        """`policies` None leaves MTA-STS out; `trust` gives what certificates are verified with."""
        self._resolver = resolver
        self._clock = clock
        self._policies = policies
        self.opportunistic = Demand(Security(opportunistic_context()))
        self._trust = trust
        self._verifying: ssl.SSLContext | None = None

    async def sts(self, domain: str) -> Known:
        """The MTA-STS policy of a domain."""
        return NOTHING if self._policies is None else await self._policies.of(domain)

    def announced(self, where: DomainDemands) -> Applied:
        """How reports name the MTA-STS policy of a domain, or one that could not be had."""
        policy = where.sts.policy
        return Applied("sts") if policy is None else Applied("sts", tuple(policy.lines()), policy.mx)

    async def of(self, where: DomainDemands, host: Host, wish: Wish) -> Demand | Forbidden:
        """What holds for a host that is about to be tried."""
        if wish is Wish.WAIVED:
            return self.opportunistic
        records = await self._tlsa(where.route, host)
        if isinstance(records, Forbidden):
            return records
        if records is not None:
            return self._dane(where, *records, wish)
        if where.sts.policy is not None and where.sts.policy.mode is not Mode.NONE:
            return self._sts(where.sts.policy, host, wish)
        return self.opportunistic if wish is not Wish.REQUIRED else self._required(where, host)

    # -- DANE -------------------------------------------------------------------

    async def _tlsa(self, route: Route, host: Host) -> tuple[str, Sequence[Tlsa]] | Forbidden | None:
        """The base domain and its records (RFC 7672 §2.2.2, §2.2.3); None where DANE does not apply."""
        if route.listed and not route.secure:
            return None  # RFC 7672 §2.2.1: who the hosts are is not proved
        if host.secure:
            bases = list(dict.fromkeys([host.canonical or host.name, host.name]))
        elif host.canonical:
            # The alias leads out of what is signed; the alias itself may be in it.
            alias = await self._resolver.alias_is_secure(host.name)
            if isinstance(alias, TemporaryFailure):
                return _unknown(alias)
            if not alias:
                return None
            bases = [host.name]
        else:
            return None
        for base in bases:
            answer = await self._resolver.tlsa(f"_25._tcp.{base}")
            if isinstance(answer, TemporaryFailure):
                return _unknown(answer)
            if isinstance(answer, Found):
                return base, answer.records
        return None

    def _dane(
        self, where: DomainDemands, base: str, records: Sequence[Tlsa], wish: Wish
    ) -> Demand | Forbidden:
        usable = dane.usable(records)
        applied = Applied("tlsa", tuple(str(record) for record in records[: dane.RECORDS]), (base,))
        if not usable:
            if wish is Wish.REQUIRED:
                return Forbidden("5.7.10", "the host has no usable TLSA record", applied, "tlsa-invalid")
            # RFC 7672 §2.2: encrypted, but with whom nobody can tell.
            security = Security(
                self.opportunistic.security.context, True, base, None, "DANE (no usable record)"
            )
            return Demand(security, "encrypted", applied)
        names = (base, where.domain)
        judge = partial(self._judge, usable, names)
        # With a trust anchor the names count, and the domain is one of them.
        anchored = any(record.usage == dane.Usage.DANE_TA for record in usable)
        key = f"dane {where.domain}" if anchored else "dane"
        return Demand(Security(self.opportunistic.security.context, True, base, judge, "DANE"), key, applied)

    def _judge(self, usable: Sequence[Tlsa], names: Sequence[str], chain: Sequence[bytes]) -> str:
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        result = dane.check(usable, chain, names, now)
        return "" if result is dane.Result.MATCH else result.value

    # -- MTA-STS and PKIX ---------------------------------------------------------

    def _sts(self, policy: Policy, host: Host, wish: Wish) -> Demand | Forbidden:
        applied = Applied("sts", tuple(policy.lines()), policy.mx)
        lenient = policy.mode is Mode.TESTING and wish is not Wish.REQUIRED
        if not policy.covers(host.name):
            if lenient:
                fault = (_GENERAL, _NOT_NAMED)
                return Demand(self.opportunistic.security, "", applied, True, *fault)
            status = "5.7.10" if wish is Wish.REQUIRED else "4.7.0"
            text = "the MTA-STS policy of the domain does not name it"
            return Forbidden(status, text, applied, _GENERAL, _NOT_NAMED)
        return Demand(Security(self._context(), True, host.name, None, "MTA-STS"), "pkix", applied, lenient)

    def _required(self, where: DomainDemands, host: Host) -> Demand | Forbidden:
        """REQUIRETLS where neither DANE nor MTA-STS is published (RFC 8689 §4.2.1)."""
        if where.route.listed and not where.route.secure:
            text = "REQUIRETLS needs an MX that DNSSEC or MTA-STS vouches for"
            return Forbidden("5.7.10", text, NO_POLICY, _GENERAL)
        name = host.name
        return Demand(Security(self._context(), True, name, None, "REQUIRETLS"), "pkix", NO_POLICY)

    def _context(self) -> ssl.SSLContext:
        # Made when it is needed first: the authorities of the system take a megabyte.
        if self._verifying is None:
            self._verifying = self._trust()
        return self._verifying


def _unknown(failure: TemporaryFailure) -> Forbidden:
    """RFC 7672 §2.1.2: what cannot be looked up may be there, so the host is left alone for now."""
    return Forbidden("4.7.0", f"DANE: {failure.reason}", Applied("tlsa"), "dnssec-invalid")
