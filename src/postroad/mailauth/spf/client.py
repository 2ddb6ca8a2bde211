"""Who is checked, and the names that are asked for (RFC 7208 §4.1, §4.3)."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from msgspec import Struct

# Printable, for macros make such names; a backslash would be an escape to whoever asks.
_NAME: Final = re.compile(r"(?=.{1,253}\Z)[ -\-/-\[\]-~]{1,63}+(?:\.[ -\-/-\[\]-~]{1,63}+)*")
_DOMAIN: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}+(?:\.[a-z0-9_-]{1,63}+)+")


class Client(Struct, frozen=True):
    """The host that sends, as this server knows it."""

    address: IPv4Address | IPv6Address
    helo: str
    """What it said of itself, as it came."""
    receiver: str = "unknown"
    """This server's own name, for %{r}."""
    now: float = 0.0
    """Seconds since the epoch, for %{t}."""

    @classmethod
    def of(cls, address: str, helo: str, receiver: str = "unknown", now: float = 0.0) -> "Client":
        """Make one of text.

        Raises:
            ValueError: `address` is no IP address.
        """
        ip = ip_address(address)
        # RFC 7208 §5: an IPv4 address inside of an IPv6 one is an IPv4 address.
        if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
            return cls(ip.ipv4_mapped, helo, receiver, now)
        return cls(ip, helo, receiver, now)

    @property
    def dotted(self) -> str:
        """What %{i} says: nibbles with dots for IPv6 (RFC 7208 §7.3)."""
        if isinstance(self.address, IPv4Address):
            return str(self.address)
        return ".".join(self.address.exploded.replace(":", "").upper())


def domain_of(text: str) -> str:
    """The domain that `text` names, in lower case; empty when no policy can be asked for it."""
    name = text.removesuffix(".").lower()
    return name if _DOMAIN.fullmatch(name) else ""


def can_be_asked(name: str) -> bool:
    """Whether the DNS can have such a name."""
    return _NAME.fullmatch(name) is not None
