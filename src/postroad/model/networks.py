"""Networks of peers that are trusted with something, as the settings name them."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final


class Networks:
    """A few networks; `address in networks` asks about one peer."""

    __slots__ = ("_networks",)

    def __init__(self, texts: Iterable[str]) -> None:
        """`192.0.2.7`, `192.0.2.0/24` or `2001:db8::/32`.

        Raises:
            ValueError: one of them is none; the message says which.
        """
        self._networks: Final = tuple(_network(text) for text in texts)

    def __contains__(self, address: str) -> bool:
        if not self._networks:
            return False
        try:
            ip = ip_address(address.partition("%")[0])
        except ValueError:
            return False  # a Unix socket has no address
        return any(ip in network for network in self._networks)

    def __bool__(self) -> bool:
        return bool(self._networks)


NOBODY: Final = Networks(())


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError(f'"{text}" is not an address or a network such as "192.0.2.0/24"') from None
