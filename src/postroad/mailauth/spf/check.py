"""check_host(): may this host send for that domain? (RFC 7208 §4)

Includes and redirects are frames on a list, so no record makes the check
deeper than the ten look-ups that it may cost. The resolver that is handed in
bounds the time: when that is over it says that nobody answered.
"""

from collections.abc import Iterator
from typing import Final

from postroad.mailauth.spf.client import Client, can_be_asked, domain_of
from postroad.mailauth.spf.lookups import Ended, Lookups
from postroad.mailauth.spf.macro import MacroError, MacroString, expand, needs, parse_macros, shortened
from postroad.mailauth.spf.record import Directive, Record, RecordError, is_spf, parse_record
from postroad.mailauth.spf.result import Identity, Matched, Spf, Verdict
from postroad.model.address import Address
from postroad.model.answers import Found, NoSuchDomain
from postroad.model.resolver import Resolver

EXPLANATION: Final = 400
"""Characters of an explanation that are kept."""
_SOURCE: Final = 1024
"""Octets of it that are looked at."""
_NOBODY: Final = "postmaster"
"""The local part of a sender who has none (§4.3)."""


async def check_sender(resolver: Resolver, client: Client, sender: Address | None) -> Spf:
    """Check the MAIL FROM identity; that of the null sender is postmaster at the HELO name (§2.4)."""
    if sender is None:
        return await check_host(resolver, client, client.helo, identity="mailfrom")
    return await check_host(resolver, client, sender.domain, local=sender.local, identity="mailfrom")


async def check_helo(resolver: Resolver, client: Client) -> Spf:
    """Check the HELO identity (§2.3)."""
    return await check_host(resolver, client, client.helo, identity="helo")


async def check_host(
    resolver: Resolver, client: Client, domain: str, *, local: str = _NOBODY, identity: Identity
) -> Spf:
    """Say whether `client` may send as `local`@`domain`; the DNS cannot make it raise."""
    name = domain_of(domain)
    if not name:
        return Spf("none", identity, "", problem="there is no domain whose policy could be asked for")
    return await _Check(resolver, client, name, local or _NOBODY, identity).run()


class _Frame:
    """A record that is being gone through."""

    def __init__(self, domain: str, record: Record, include: Directive | None = None) -> None:
        self.domain = domain
        self.record = record
        self.include = include
        """The term of the frame below that led here; None at the bottom."""
        self.directives: Iterator[Directive] = iter(record.directives)


class _Check:
    """One run of check_host()."""

    def __init__(
        self, resolver: Resolver, client: Client, domain: str, local: str, identity: Identity
    ) -> None:
        self._lookups = Lookups(resolver, client)
        self._client = client
        self._domain = domain
        self._local = local
        self._identity: Identity = identity

    async def run(self) -> Spf:
        """Give the result."""
        try:
            answer = await self._lookups.policy(self._domain)
            if (record := _select(answer.records if isinstance(answer, Found) else ())) is None:
                what = "exist" if isinstance(answer, NoSuchDomain) else "publish a policy"
                return self._result("none", problem=f"{self._domain} does not {what}")
            return await self._evaluate(_Frame(self._domain, record))
        except Ended as end:
            return self._result(end.verdict, problem=end.problem)

    async def _evaluate(self, first: _Frame) -> Spf:
        frames = [first]
        while True:
            frame = frames[-1]
            directive = next(frame.directives, None)
            if directive is None and (target := self._redirect(frame)) is not None:
                frames[-1] = await self._follow(frame, target, frame.record.redirect_text, frame.include)
                continue
            if directive is not None and directive.kind == "include":
                frames.append(await self._follow(frame, directive.domain, directive.text, directive))
                continue
            if directive is not None and not await self._matches(frame, directive):
                continue
            # This record is through: `directive` has matched, or nothing has, which is neutral (§4.7).
            matched: list[Matched] = []
            while directive is not None:
                matched.insert(0, Matched(frames[-1].domain, directive.text))
                include = frames[-1].include
                if include is None or directive.qualifier != "pass":
                    break
                # What is included has passed, so the include matches (§5.2).
                frames.pop()
                directive = include
            if frames[-1].include is None:
                return await self._conclude(frames[-1], directive, tuple(matched))
            frames.pop()

    async def _conclude(
        self, frame: _Frame, directive: Directive | None, matched: tuple[Matched, ...]
    ) -> Spf:
        verdict: Verdict = "neutral" if directive is None else directive.qualifier
        words = await self._explanation(frame) if verdict == "fail" else ""
        return self._result(verdict, matched, frame.record.text, words)

    def _result(
        self,
        verdict: Verdict,
        matched: tuple[Matched, ...] = (),
        record: str = "",
        explanation: str = "",
        problem: str = "",
    ) -> Spf:
        counts = self._lookups.terms, self._lookups.voids
        return Spf(verdict, self._identity, self._domain, matched, record, explanation, problem, *counts)

    def _redirect(self, frame: _Frame) -> MacroString | None:
        """Where a record leads whose terms did not match (§6.1)."""
        if any(directive.kind == "all" for directive in frame.record.directives):
            return None
        return frame.record.redirect

    async def _follow(
        self, frame: _Frame, target: MacroString | None, term: str, include: Directive | None
    ) -> _Frame:
        """Go on with the record that an include or a redirect names."""
        self._lookups.count()
        name = domain_of(await self._target(frame, target) or "")
        if name:
            answer = await self._lookups.policy(name)
            if (record := _select(answer.records if isinstance(answer, Found) else ())) is not None:
                return _Frame(name, record, include)
        # "none" is an error here (§5.2, §6.1).
        raise Ended("permerror", f"{term} of {frame.domain} leads to no policy")

    async def _matches(self, frame: _Frame, directive: Directive) -> bool:
        if directive.kind == "all":
            return True
        if directive.network is not None:
            return self._client.address in directive.network
        self._lookups.count()
        name = await self._target(frame, directive.domain)
        if name is None:
            return False
        match directive.kind:
            case "a":
                return await self._lookups.has_client(name, directive.prefix4, directive.prefix6)
            case "mx":
                return await self._lookups.mx_has_client(name, directive.prefix4, directive.prefix6)
            case "ptr":
                return await self._lookups.is_named_in(name)
            case _:
                return await self._lookups.exists(name)

    async def _target(self, frame: _Frame, domain: MacroString | None) -> str | None:
        """The name that a term is about (§4.8); None when the DNS has no such name."""
        if domain is None:
            return frame.domain
        if needs(domain, "sl") and not self._local.isascii():
            return None  # such a local part matches nothing (RFC 8616 §4)
        name = shortened(await self._expand(frame, domain)).lower()
        return name if can_be_asked(name) else None

    async def _expand(self, frame: _Frame, text: MacroString) -> str:
        """Fill in macros (§7.2)."""
        client = self._client
        values = {
            "s": f"{self._local}@{self._domain}",
            "l": self._local,
            "o": self._domain,
            "d": frame.domain,
            "i": client.dotted,
            "v": "in-addr" if client.address.version == 4 else "ip6",
            "h": client.helo.removesuffix("."),
            "c": str(client.address),
            "r": client.receiver,
            "t": str(int(client.now)),
        }
        if needs(text, "p"):
            values["p"] = await self._lookups.client_name(frame.domain)
        return expand(text, values)

    async def _explanation(self, frame: _Frame) -> str:
        """What the domain says to those it refuses; whatever is wrong with it, there is none then (§6.2)."""
        source = frame.record.explanation
        if source is None:
            return ""
        try:
            name = await self._target(frame, source)
            octets = await self._lookups.explanation(name) if name else None
            text = parse_macros((octets or b"")[:_SOURCE].decode("ascii"), explaining=True)
            words = await self._expand(frame, text)
        except (UnicodeDecodeError, MacroError, Ended):
            return ""
        return words[:EXPLANATION] if words.isascii() and words.isprintable() else ""


def _select(texts: tuple[bytes, ...]) -> Record | None:
    """The one policy among TXT records (§4.5).

    Raises:
        Ended: there are several, or it breaks the grammar.
    """
    policies = [text for text in texts if is_spf(text)]
    if len(policies) > 1:
        raise Ended("permerror", f"there are {len(policies)} policies")
    try:
        return parse_record(policies[0]) if policies else None
    except RecordError as error:
        raise Ended("permerror", str(error)) from None
