"""Policy and alignment: the DMARC mechanism (RFC 9989 §4.4, §4.10, §5.3)."""

from collections.abc import Iterable
from typing import Final

from postroad.mailauth.dmarc.author import Author
from postroad.mailauth.dmarc.result import Dmarc
from postroad.mailauth.dmarc.walk import Walk, Walker
from postroad.model.answers import Found, TemporaryFailure
from postroad.model.resolver import Resolver

SIGNERS: Final = 8
"""Domains with a good signature that are looked at."""


async def evaluate(
    resolver: Resolver, author: Author, *, spf: str | None, dkim: Iterable[str], spf_failed: bool = False
) -> Dmarc:
    """Judge a message.

    `spf` is the domain that passed SPF as MAIL FROM, or as HELO of the null
    sender; `dkim` the domains of signatures that hold. `spf_failed` says that
    SPF could not be checked for now, so that nothing definite is said when
    the rest does not pass.
    """
    if not author.domain:
        return Dmarc("permerror", problem=f"the message {author.problem}")
    return await _Evaluation(resolver, author.domain).run(
        spf, list(dict.fromkeys(dkim))[:SIGNERS], spf_failed
    )


class _Evaluation:
    """One message."""

    def __init__(self, resolver: Resolver, domain: str) -> None:
        self._resolver = resolver
        self._walker = Walker(resolver)
        self._domain = domain
        self._problem = ""

    async def run(self, spf: str | None, dkim: list[str], unchecked: bool) -> Dmarc:
        """Give the result."""
        walk = await self._walker.walk(self._domain)
        if walk.problem:
            return Dmarc("temperror", self._domain, problem=walk.problem)
        found = walk.policy()
        if found is None or not found[1].applies:
            return Dmarc("none", self._domain, problem="its domain publishes no DMARC policy")
        holder, record = found
        published = record.policy
        if holder != self._domain:
            exists = record.nonexistent is None or await self._exists()
            published = record.policy_for(subdomain=True, exists=exists)
        aligned_spf = spf if spf and await self._is_aligned(walk, spf, record.strict_spf) else ""
        aligned_dkim = [d for d in dkim if await self._is_aligned(walk, d, record.strict_dkim)]
        passed = bool(aligned_spf or aligned_dkim)
        unknown = self._problem or ("SPF could not be checked" if unchecked else "")
        return Dmarc(
            "pass" if passed else "temperror" if unknown else "fail",
            self._domain,
            walk.organization,
            holder,
            record,
            published,
            record.softened(published),
            aligned_spf,
            tuple(aligned_dkim),
            "" if passed else unknown,
        )

    async def _is_aligned(self, walk: Walk, identifier: str, strict: bool) -> bool:
        """Identifier alignment (§4.4, §4.10.2)."""
        if identifier == self._domain:
            return True
        # Organizations are suffixes: without one label in common there is nothing to ask for.
        if strict or identifier.rpartition(".")[2] != self._domain.rpartition(".")[2]:
            return False
        other = await self._walker.walk(identifier)
        if other.problem:
            self._problem = other.problem
            return False
        return other.organization == walk.organization

    async def _exists(self) -> bool:
        """Whether the author domain is in the DNS (§3.2.13); yes when nobody can say."""
        for question in (self._resolver.mx, self._resolver.a, self._resolver.aaaa):
            answer = await question(self._domain)
            if isinstance(answer, Found | TemporaryFailure):
                return True
        return False
