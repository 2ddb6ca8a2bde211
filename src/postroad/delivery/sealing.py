"""Sealing what aliases send on elsewhere: what we found goes along in an ARC set (RFC 8617)."""

import asyncio
from collections.abc import Iterable

from msgspec.structs import replace

from postroad.delivery.signing import Signer
from postroad.mailauth.arc.seal import seal
from postroad.mailauth.arc.verify import ArcResult
from postroad.mailauth.authres.values import AuthResults, Property
from postroad.mailauth.authres.values import Result as Verdict
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.result import Result
from postroad.mailauth.dkim.sign import BODY
from postroad.message.header import HeaderBlock
from postroad.model.clock import Clock
from postroad.model.octets import Octets
from postroad.store.prepare import INLINE


class Sealer:
    """Seals in the name of the domains that aliases belong to, with the keys that sign their mail."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self._signer = signer
        self._clock = clock

    async def seals(self, domains: Iterable[str], results: AuthResults, message: Octets) -> dict[str, bytes]:
        """Return the fields to put on top of a message, for each of the domains that has a key.

        `results` is what was found about the message when it came in, the
        status of its chain included; without that there was none.
        """
        keys = {domain: self._signer.keys_of(domain) for domain in domains}
        if not any(keys.values()):
            return {}
        block = HeaderBlock.parse(message)
        body = BodyHashes(message, block.body_start)
        if body.size > INLINE:
            await asyncio.to_thread(body.compute, [BODY])
        status = next((Result(one.result) for one in results.of("arc")), Result.NONE)
        if not results.of("arc"):
            results = replace(results, results=(*results.results, Verdict("arc", status.value)))
        now = self._clock.now()
        # RSA comes first among the keys of a domain, and more verifiers know it.
        return {
            domain: seal(block, body, of_domain[0], results=results, status=status, now=now)
            for domain, of_domain in keys.items()
            if of_domain
        }


def arc_verdict(found: ArcResult) -> Verdict:
    """The chain's status as Authentication-Results has it (RFC 8617 §6)."""
    properties: tuple[Property, ...] = ()
    if found.result is Result.PASS:
        properties = (Property("header", "oldest-pass", str(found.oldest_pass)),)
    return Verdict("arc", found.result.value, properties)
