"""Whether the name of an address leads back to the address (iprev, RFC 8601 §3)."""

from ipaddress import ip_address
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from postroad.model.answers import Found, TemporaryFailure
from postroad.model.resolver import Resolver

Verdict: TypeAlias = Literal["pass", "fail", "temperror", "permerror"]

NAMES: Final = 5
"""Names of an address that are looked at; who has more is no mail server."""


class Iprev(Struct, frozen=True):
    """A finished check."""

    verdict: Verdict
    address: str
    name: str = ""
    """The first name that leads back; empty when none does."""
    problem: str = ""


async def check_iprev(resolver: Resolver, address: str) -> Iprev:
    """Look up the names of `address` (an IP address), and the addresses of those names."""
    ip = ip_address(address)
    answer = await resolver.ptr(address)
    if isinstance(answer, TemporaryFailure):
        return Iprev("temperror", address, problem=answer.reason)
    if not isinstance(answer, Found):
        return Iprev("permerror", address, problem="the address has no name")  # RFC 8601 §2.7.3
    failure: TemporaryFailure | None = None
    for name in answer.records[:NAMES]:
        addresses = await (resolver.a(name) if ip.version == 4 else resolver.aaaa(name))
        if isinstance(addresses, Found) and str(ip) in addresses.records:
            return Iprev("pass", address, name)
        if isinstance(addresses, TemporaryFailure):
            failure = addresses
    if failure is not None:
        return Iprev("temperror", address, problem=failure.reason)
    return Iprev("fail", address, problem=f"{answer.records[0]} does not lead back to the address")
