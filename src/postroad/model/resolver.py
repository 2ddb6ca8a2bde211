"""The questions that mail asks of the DNS."""

from typing import Protocol

from postroad.model.answers import Answer, Mx


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
