"""Every check of one message, side by side, from one purse of questions and seconds (SAFETY C17)."""

import asyncio
from typing import Final

from postroad.config.sender_auth import SenderAuth
from postroad.delivery.sender_auth.judgement import Judgement
from postroad.dns.bounded import BoundedResolver
from postroad.mailauth.arc.verify import ArcResult, verify_chain, wanted_chain_hashes
from postroad.mailauth.dkim.body import BodyHashes
from postroad.mailauth.dkim.limits import Limits
from postroad.mailauth.dkim.result import Result, Verification
from postroad.mailauth.dkim.verify import verify, wanted_hashes
from postroad.mailauth.dmarc.author import author_of
from postroad.mailauth.dmarc.evaluate import Identifiers, evaluate
from postroad.mailauth.dmarc.walk import Walker
from postroad.mailauth.iprev import check_iprev
from postroad.mailauth.spf.check import check_helo, check_sender
from postroad.mailauth.spf.client import Client
from postroad.mailauth.spf.result import Spf
from postroad.message.header import HeaderBlock
from postroad.model.address import Address
from postroad.model.octets import Octets
from postroad.model.resolver import Resolver

SPF_SECONDS: Final = 20.0
"""RFC 7208 §4.6.4: the least that a check may be given, and what ours is."""
SPF_SHARE: Final = 0.6
"""Of all questions, those that SPF may use up: signatures and policies want to be asked for too."""
INLINE: Final = 256 * 1024
"""Octets up to which hashing a body costs less than a hop to a thread."""


async def check(
    resolver: Resolver,
    settings: SenderAuth,
    client: Client,
    sender: Address | None,
    header: bytes,
    message: Octets,
) -> Judgement:
    """Find out what there is to find out; a DNS that is down only makes results of it."""
    purse = BoundedResolver(resolver, questions=settings.questions, seconds=settings.timeout)
    for_spf = purse.part(questions=max(1, int(settings.questions * SPF_SHARE)), seconds=SPF_SECONDS)
    author = author_of(header)
    walker = Walker(purse)
    (spf, helo), iprev, (dkim, arc), _ = await asyncio.gather(
        _both_identities(for_spf, client, sender),
        check_iprev(purse, str(client.address)),
        check_signatures(purse, settings, message, client.now),
        # By the time that the others are through, the policy is there.
        walker.walk(author.domain) if author.domain else _nothing(),
    )
    identifiers = Identifiers(
        spf.domain if spf.verdict == "pass" else "",
        dkim.vouching,
        spf.domain if spf.verdict == "temperror" else "",
        tuple([one.domain for one in dkim.results if one.result is Result.TEMPERROR]),
    )
    dmarc = await evaluate(purse, author, identifiers, walker)
    return Judgement(author, spf, helo, iprev, dkim, arc, dmarc, purse.asked)


async def _both_identities(resolver: Resolver, client: Client, sender: Address | None) -> tuple[Spf, Spf]:
    """MAIL FROM, and HELO behind it: what is left of the purse is enough for that."""
    spf = await check_sender(resolver, client, sender)
    return spf, await check_helo(resolver, client)


async def check_signatures(
    resolver: Resolver, settings: SenderAuth, message: Octets, now: float
) -> tuple[Verification, ArcResult]:
    """DKIM, then ARC: what was signed by those who passed the message on."""
    limits = Limits(signatures=settings.signatures, keys=settings.keys)
    block = HeaderBlock.parse(message)
    body = BodyHashes(message, block.body_start)
    if body.size > INLINE:
        wanted = [*wanted_hashes(block, limits), *wanted_chain_hashes(block)]
        await asyncio.to_thread(body.compute, wanted)
    dkim = await verify(block, body, resolver, now=now, limits=limits)
    return dkim, await verify_chain(block, body, resolver, now=now, limits=limits)


async def _nothing() -> None:
    return None
