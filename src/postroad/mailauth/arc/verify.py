"""Validating a chain (RFC 8617 §5.2)."""

import hashlib
from dataclasses import dataclass

from postroad.mailauth.arc.chain import ArcSet, Chain, read_chain
from postroad.mailauth.dkim.body import BodyHashes, Wanted
from postroad.mailauth.dkim.canonical import Canonical
from postroad.mailauth.dkim.header_data import HeaderData
from postroad.mailauth.dkim.key import KeyRecord, is_signed_by
from postroad.mailauth.dkim.keyring import Keyring, NoKey, TxtResolver
from postroad.mailauth.dkim.limits import DEFAULT, Limits
from postroad.mailauth.dkim.result import Result
from postroad.mailauth.dkim.signature import Signed
from postroad.mailauth.dkim.verify import mismatch, untimely, wrong_key
from postroad.message.header import HeaderBlock


@dataclass(frozen=True, slots=True)
class ArcResult:
    """What the chain of a message is worth: none, pass or fail (RFC 8617 §4.4)."""

    result: Result
    reason: str
    """A sentence without its full stop."""
    chain: Chain
    oldest_pass: int = 0
    """The oldest set since which the message is as it was; 0: since the first (RFC 8617 §5.2, step 5)."""

    @property
    def sealers(self) -> tuple[str, ...]:
        """The domains that sealed, the newest first; empty unless the chain passes."""
        if self.result is not Result.PASS:
            return ()
        return tuple([one.seal.domain for one in reversed(self.chain.sets)])


def wanted_chain_hashes(block: HeaderBlock) -> list[Wanted]:
    """Say which hashes of the body `verify_chain` will ask for: see `BodyHashes.compute`."""
    return [one.message.body for one in read_chain(block).sets]


async def verify_chain(
    block: HeaderBlock,
    body: BodyHashes,
    resolver: TxtResolver,
    *,
    now: float,
    limits: Limits = DEFAULT,
) -> ArcResult:
    """Validate the chain of a message.

    All errors are final, a silent DNS too (RFC 8617 §5.2.1). `now` is in seconds since the epoch.
    """
    chain = read_chain(block)
    if chain.ended:
        return ArcResult(Result.FAIL, "an earlier server found the chain broken", chain)
    if chain.problem:
        return ArcResult(Result.FAIL, chain.problem, chain)
    if not chain.sets:
        return ArcResult(Result.NONE, "there is no chain", chain)
    judge = _Judge(HeaderData(block), body, Keyring(resolver, limits), now, limits)
    newest = chain.sets[-1]
    if problem := await judge.message(newest.message):
        return ArcResult(Result.FAIL, f"set {newest.instance}: {problem}", chain)
    for one in reversed(chain.sets):
        if problem := await judge.seal(chain.sets[: one.instance]):
            return ArcResult(Result.FAIL, f"the seal of set {one.instance}: {problem}", chain)
    oldest_pass = await judge.oldest_pass(chain.sets)
    sealers = ", ".join([one.seal.domain for one in chain.sets])
    return ArcResult(Result.PASS, f"sealed by {sealers}", chain, oldest_pass)


def sealed_data(header: HeaderData, sets: tuple[ArcSet, ...]) -> bytes:
    """Return what the sets add to the data of a seal, the oldest first (RFC 8617 §5.1.1)."""
    return b"".join(
        [
            header.field(Canonical.RELAXED, field)
            for one in sets
            for field in (one.results, one.message.field, one.seal.field)
        ]
    )


class _Judge:
    """The signatures of one chain; each method gives a problem in words, or nothing."""

    def __init__(
        self, header: HeaderData, body: BodyHashes, keyring: Keyring, now: float, limits: Limits
    ) -> None:
        self._header = header
        self._body = body
        self._keyring = keyring
        self._now = now
        self._limits = limits

    async def message(self, signed: Signed) -> str:
        problem = untimely(signed, self._now, self._limits)
        if problem is not None:
            return problem[1]
        key = await self._key(signed.kind, signed.hash, signed.selector, signed.domain)
        if isinstance(key, str):
            return key
        problem = mismatch(self._header, self._body, signed, key)
        return "" if problem is None else problem[1]

    async def seal(self, sets: tuple[ArcSet, ...]) -> str:
        """The newest seal of these sets."""
        newest = sets[-1]
        seal = newest.seal
        key = await self._key(seal.kind, seal.hash, seal.selector, seal.domain)
        if isinstance(key, str):
            return key
        own = (newest.results, newest.message.field)
        data = b"".join(
            [
                sealed_data(self._header, sets[:-1]),
                *[self._header.field(Canonical.RELAXED, field) for field in own],
                self._header.unsigned(Canonical.RELAXED, seal.field),
            ]
        )
        assert key.key is not None
        if is_signed_by(key.key, data, hashlib.sha256(data).digest(), seal.octets):
            return ""
        return "a field of the chain was changed, or another key sealed"

    async def oldest_pass(self, sets: tuple[ArcSet, ...]) -> int:
        for one in reversed(sets[:-1]):
            if await self.message(one.message):
                return one.instance + 1
        return 0

    async def _key(self, kind: str, digest: str, selector: str, domain: str) -> KeyRecord | str:
        if digest == "sha1":  # RFC 8301 §3.1
            return "SHA-1 protects nothing any more"
        key = await self._keyring.find(selector, domain, kind)
        if isinstance(key, NoKey):
            return key.reason
        problem = wrong_key(key, digest, self._limits)
        return key if problem is None else problem[1]
