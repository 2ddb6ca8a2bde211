"""What a server says it is, held against where it is (RFC 5321 §4.1.4, §4.1.1.1)."""

from ipaddress import ip_address

from postroad.model.answers import NoData, NoSuchDomain
from postroad.model.resolver import Resolver


def faults_of(helo: str, address: str, own_name: str) -> str:
    """What is wrong with a name that needs no look-up to see; empty: nothing.

    The syntax has been seen to already: it is a domain or an address literal.
    """
    name = helo.rstrip(".").lower()
    if name == own_name:
        return "it greets us by our own name"
    if name.startswith("["):
        return "" if _literal(name) == address else "it greets us by an address that it has not"
    if "." not in name:
        return "it greets us by a name without a domain"  # RFC 5321 §2.3.5
    return ""


async def is_unresolvable(helo: str, resolver: Resolver) -> bool:
    """Whether the DNS says that a name is not there; when it says nothing nothing follows."""
    name = helo.rstrip(".").lower()
    if name.startswith("["):
        return False
    answer = await resolver.addresses(name)
    if isinstance(answer, NoData):  # RFC 5321 §2.3.5: an MX alone makes it a domain of mail
        answer_mx = await resolver.mx(name)
        return isinstance(answer_mx, NoData | NoSuchDomain)
    return isinstance(answer, NoSuchDomain)


def _literal(name: str) -> str:
    inside = name[1:-1].removeprefix("ipv6:")
    try:
        return str(ip_address(inside))
    except ValueError:
        return ""
