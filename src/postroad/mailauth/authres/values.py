"""The contents of an Authentication-Results field (RFC 8601 §2.2)."""

from msgspec import Struct


class Property(Struct, frozen=True):
    """What a verdict is about: `smtp.mailfrom=ada@example.org`."""

    ptype: str
    """smtp, header, body or policy."""
    name: str
    value: str
    """With quotes undone."""


class Result(Struct, frozen=True):
    """One verdict: `spf=pass`."""

    method: str
    result: str
    properties: tuple[Property, ...] = ()
    reason: str = ""
    comment: str = ""
    """For people, behind the verdict; what is read from others has none."""
    version: int = 1


class AuthResults(Struct, frozen=True):
    """A whole field; without results it says `none`."""

    authserv_id: str
    """Who judged."""
    results: tuple[Result, ...] = ()
    version: int = 1

    def of(self, method: str) -> tuple[Result, ...]:
        """The verdicts by one method, in order."""
        return tuple(result for result in self.results if result.method == method)
