"""Policy and alignment: the DMARC mechanism (RFC 9989 §4.4, §4.10, §5.3)."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from postroad.mailauth.dmarc.author import Author
from postroad.mailauth.dmarc.result import Dmarc
from postroad.mailauth.dmarc.walk import Walk, Walker
from postroad.model.answers import Found, TemporaryFailure
from postroad.model.resolver import Resolver

SIGNERS: Final = 8
"""Domains with a good signature that are looked at."""


class Identifiers(Struct, frozen=True):
    """What stands behind a message, and what may: domains in lower case."""

    spf: str = ""
    """The domain that passed SPF as MAIL FROM, or as HELO of the null sender."""
    dkim: tuple[str, ...] = ()
    """Domains of signatures that hold."""
    unchecked_spf: str = ""
    """The same, when SPF could not be checked for now."""
    unchecked_dkim: tuple[str, ...] = ()


async def evaluate(
    resolver: Resolver, author: Author, found: Identifiers, walker: Walker | None = None
) -> Dmarc:
    """Judge a message. A `walker` may have been up from the author domain already."""
    if not author.domain:
        return Dmarc("permerror", problem=f"the message {author.problem}")
    walker = walker or Walker(resolver)
    walk = await walker.walk(author.domain)
    policy = walk.policy()
    if policy is None and walk.problem:
        return Dmarc("temperror", author.domain, problem=walk.problem)
    if policy is None or not policy[1].applies:
        return Dmarc("none", author.domain, problem="its domain publishes no DMARC policy")
    holder, record = policy
    published = record.policy
    if holder != author.domain:
        exists = record.nonexistent is None or await _exists(resolver, author.domain)
        published = record.policy_for(subdomain=True, exists=exists)
    alignment = _Alignment(walker, walk)
    spf = await alignment.of([found.spf] if found.spf else [], strict=record.strict_spf)
    dkim = await alignment.of(found.dkim, strict=record.strict_dkim)
    if not spf and not dkim:
        # Only what would be aligned can make a difference: nobody gets around a policy
        # by breaking the DNS of a domain of his own.
        if await alignment.of([found.unchecked_spf] if found.unchecked_spf else [], strict=record.strict_spf):
            alignment.problem = f"SPF of {found.unchecked_spf} could not be checked"
        for domain in await alignment.of(found.unchecked_dkim, strict=record.strict_dkim):
            alignment.problem = f"a signature of {domain} could not be checked"
    passed = bool(spf or dkim)
    return Dmarc(
        "pass" if passed else "temperror" if alignment.problem else "fail",
        author.domain,
        walk.organization,
        holder,
        record,
        published,
        record.softened(published),
        spf[0] if spf else "",
        dkim,
        "" if passed else alignment.problem,
    )


class _Alignment:
    """Which domains are of the author's organization (§4.4, §4.10.2)."""

    def __init__(self, walker: Walker, author: Walk) -> None:
        self._walker = walker
        self._author = author
        self.problem = ""
        """Why it could not be said of one of them."""

    async def of(self, domains: Iterable[str], *, strict: bool) -> tuple[str, ...]:
        """Those that are aligned."""
        looked_at = list(dict.fromkeys(domains))[:SIGNERS]
        return tuple([domain for domain in looked_at if await self._is_aligned(domain, strict)])

    async def _is_aligned(self, domain: str, strict: bool) -> bool:
        author, organization = self._author, self._author.organization
        if domain == author.start:
            return True
        if author.problem and not strict:
            # The organization is the author domain or above it, and nobody can say where.
            if domain.rpartition(".")[2] == author.start.rpartition(".")[2]:
                self.problem = author.problem
            return False
        # An organization is the domain itself or above it: what is not below ours has another.
        if strict or not (domain == organization or domain.endswith(f".{organization}")):
            return False
        walk = await self._walker.walk(domain)
        if walk.problem:
            self.problem = walk.problem
            return False
        return walk.organization == organization


async def _exists(resolver: Resolver, domain: str) -> bool:
    """Whether a domain is in the DNS (§3.2.13); yes when nobody can say."""
    for question in (resolver.mx, resolver.a, resolver.aaaa):
        if isinstance(await question(domain), Found | TemporaryFailure):
            return True
    return False
