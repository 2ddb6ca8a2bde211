"""Which addresses count as one peer."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address


@lru_cache(maxsize=1024)  # asked for each command of a peer
def network_of(address: str) -> str:
    """Return what is counted for a peer: its IPv4 address, or the /64 of its IPv6 address.

    A customer of any provider has a whole /64 to send from. What is no IP
    address (a Unix socket) counts as itself.
    """
    try:
        ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return f"{IPv6Address(int(ip) >> 64 << 64)}/64"
