"""Where mail for a domain goes: the hosts to try, in order (RFC 5321 §5.1)."""

import random
from collections.abc import Collection
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias

from postroad.model.answers import Found, Mx, NoData, NoSuchDomain, TemporaryFailure
from postroad.model.resolver import Resolver

HOSTS: Final = 10
"""MX hosts that are looked at; the rest of a longer list is left out."""
ADDRESSES: Final = 20
"""Addresses that are tried in all."""
SILENT: Final = 3
"""Hosts about which nobody answers before no more are asked for: each takes its whole time-out."""

_HANDED_OUT: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1
_NEAR: Final = (
    IPv4Network("192.0.0.0/24"),  # RFC 6890 §2.2.2; its anycast addresses are answered by the next router
    IPv4Network("192.88.99.0/24"),  # RFC 7526: relays of 6to4 are no more
    IPv6Network("2001:20::/28"),  # RFC 7343: names, not places
    IPv6Network("3fff::/20"),  # RFC 9637: for documentation
)
"""Not of the open Internet, though Python, or an older Python, has them so."""


@dataclass(frozen=True, slots=True)
class Host:
    """A server to try, with its addresses in order."""

    name: str
    addresses: tuple[str, ...]
    secure: bool = False
    """Whether DNSSEC has proved its addresses, and the way to them."""
    canonical: str = ""
    """Where its name led as an alias; empty: it is none, or the resolver does not tell."""


@dataclass(frozen=True, slots=True)
class Route:
    """Hosts in the order in which they are tried; never empty."""

    hosts: tuple[Host, ...]
    secure: bool = False
    """Whether DNSSEC has proved that these are the hosts (RFC 7672 §2.2.1)."""
    listed: bool = True
    """Whether there are MX records; without, the domain is its own host."""


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Mail cannot go there, for good or for now."""

    code: int
    enhanced: str
    text: str

    @property
    def permanent(self) -> bool:
        """Whether trying again is of no use."""
        return self.code >= 500


Way: TypeAlias = Route | NoRoute


async def find_route(
    resolver: Resolver,
    domain: str,
    *,
    own_names: Collection[str],
    chance: random.Random,
    allow_private: bool,
) -> Way:
    """Ask the DNS where mail for `domain` goes.

    `own_names` are the names of this server: as an MX they, and what is worse
    than they are, are left out, or mail would go in circles.
    """
    if domain.startswith("["):
        address = domain[1:-1].removeprefix("IPv6:")
        return _checked(Route((Host(domain, (address,)),), listed=False), allow_private)
    answer = await resolver.mx(domain)
    match answer:
        case TemporaryFailure(reason):
            return NoRoute(451, "4.4.3", f"DNS: {reason}")
        case NoSuchDomain():
            return NoRoute(550, "5.1.2", f"the domain {domain} does not exist")
        case NoData():
            return await _with_addresses(resolver, domain, None, allow_private=allow_private)
        case Found(records):
            names = _in_order(records, own_names, chance)
            if isinstance(names, NoRoute):
                return names
            return await _with_addresses(
                resolver, domain, names, secure=answer.secure, allow_private=allow_private
            )


def _in_order(
    records: tuple[Mx, ...], own_names: Collection[str], chance: random.Random
) -> list[str] | NoRoute:
    if all(mx.host in ("", ".") for mx in records):
        return NoRoute(556, "5.1.10", "the domain takes no mail (null MX)")  # RFC 7505 §4
    usable = [mx for mx in records if mx.host not in ("", ".")]
    ours = [mx.preference for mx in usable if mx.host in own_names]
    if ours:
        usable = [mx for mx in usable if mx.preference < min(ours)]
        if not usable:
            return NoRoute(554, "5.4.6", "its MX is this server, which does not know the domain")
    # RFC 5321 §5.1: equal preferences MUST be tried in random order, to spread the load.
    chance_of = {mx: chance.random() for mx in usable}
    usable.sort(key=lambda mx: (mx.preference, chance_of[mx]))
    return list(dict.fromkeys(mx.host for mx in usable))[:HOSTS]


async def _with_addresses(
    resolver: Resolver, domain: str, listed: list[str] | None, *, secure: bool = False, allow_private: bool
) -> Way:
    """Look up the hosts that are `listed`, or else the domain itself: the implicit MX."""
    names = [domain] if listed is None else listed
    hosts: list[Host] = []
    failure: TemporaryFailure | None = None
    silent = 0
    room = ADDRESSES
    for name in names:
        answer = await resolver.addresses(name)
        if isinstance(answer, Found):
            hosts.append(Host(name, answer.records[:room], answer.secure, answer.name))
            room -= len(answer.records[:room])
        elif isinstance(answer, TemporaryFailure):
            failure = answer
            silent += 1
        if room <= 0 or silent >= SILENT:
            break
    if hosts:
        return _checked(Route(tuple(hosts), secure, listed is not None), allow_private)
    if failure is not None:
        return NoRoute(451, "4.4.3", f"DNS: {failure.reason}")
    if names == [domain]:
        return NoRoute(550, "5.1.2", f"the domain {domain} has no mail server and no address")
    return NoRoute(550, "5.4.4", f"the mail servers of {domain} have no addresses")


def _checked(route: Route, allow_private: bool) -> Way:
    if allow_private:
        return route
    public = [replace(h, addresses=tuple(a for a in h.addresses if is_public(a))) for h in route.hosts]
    usable = tuple(host for host in public if host.addresses)
    if usable:
        return replace(route, hosts=usable)
    # A stranger's DNS must not make us talk to machines behind our walls.
    return NoRoute(550, "5.4.4", "its mail servers have private addresses only, which are not contacted")


def is_public(address: str) -> bool:
    """Whether an address is one of the open Internet; also for IPv4 inside of IPv6."""
    try:
        ip: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        inside = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inside is None and ip in _NAT64:
            inside = IPv4Address(int(ip) & 0xFFFFFFFF)
        if inside is not None:
            return _is_open(inside)
        # What is not handed out for use on the Internet (RFC 4291 §2.4) may lead anywhere here, and
        # what has a zone leads to a link of this machine.
        return ip in _HANDED_OUT and ip.scope_id is None and _is_open(ip)
    return _is_open(ip)


def _is_open(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NEAR)
