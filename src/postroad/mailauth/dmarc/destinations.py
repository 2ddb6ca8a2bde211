"""Where reports may go: a domain cannot have them sent to whoever did not ask (RFC 9990 §4)."""

from collections.abc import Iterable

from postroad.mailauth.dmarc.record import parse_record
from postroad.mailauth.dmarc.walk import Walker
from postroad.model.address import Address
from postroad.model.answers import Found, TemporaryFailure
from postroad.model.resolver import Resolver

LONGEST = 253


async def destinations(
    resolver: Resolver, holder: str, addresses: Iterable[Address]
) -> tuple[Address, ...] | TemporaryFailure:
    """The addresses of a record of `holder` that agree to get reports about it."""
    walker = Walker(resolver)
    own = await walker.walk(holder)
    agreed: list[Address] = []
    for address in addresses:
        there = await walker.walk(address.domain)
        if own.problem or there.problem:
            return TemporaryFailure(own.problem or there.problem)
        if there.organization == own.organization:
            agreed.append(address)
            continue
        name = f"{holder}._report._dmarc.{address.domain}"
        if len(name) > LONGEST:
            continue
        answer = await resolver.txt(name)
        if isinstance(answer, TemporaryFailure):
            return answer
        records = [parse_record(text) for text in (answer.records if isinstance(answer, Found) else ())]
        known = [record for record in records if record is not None]
        if not known:
            continue
        instead = [one for record in known for one in record.reports]
        # Who consents may name other addresses, but of its own host.
        if not instead:
            agreed.append(address)
        elif all(one.domain == address.domain for one in instead):
            agreed += instead
    return tuple(dict.fromkeys(agreed))
