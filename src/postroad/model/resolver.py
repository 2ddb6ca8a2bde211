"""The questions that mail asks of the DNS."""

from typing import Protocol

from postroad.model.answers import Answer, Mx, TemporaryFailure, Tlsa


class Resolver(Protocol):
    """Names are A-labels without a trailing dot; so are those in the answers."""

    async def mx(self, domain: str) -> Answer[Mx]:
        """MX records in no particular order."""
        ...

    async def addresses(self, host: str) -> Answer[str]:
        """IPv6 and IPv4 addresses as text, IPv6 first; CNAMEs are followed."""
        ...

    async def a(self, host: str) -> Answer[str]:
        """IPv4 addresses alone, as text; CNAMEs are followed."""
        ...

    async def aaaa(self, host: str) -> Answer[str]:
        """IPv6 addresses alone, as text; CNAMEs are followed."""
        ...

    async def txt(self, name: str) -> Answer[bytes]:
        """TXT records, the strings of each joined."""
        ...

    async def ptr(self, address: str) -> Answer[str]:
        """Names of an IP address."""
        ...

    async def tlsa(self, name: str) -> Answer[Tlsa]:
        """TLSA records of a name such as `_25._tcp.mx.example.org`; found only where they are secure."""
        ...

    async def alias_is_secure(self, name: str) -> bool | TemporaryFailure:
        """Whether a name is an alias, and that much is secure, wherever it leads (RFC 7672 §2.2.2)."""
        ...
