"""LIMITS: how much another server takes at a time (RFC 9422)."""

from typing import Final, NamedTuple

_MOST_DIGITS: Final = 6


class Announced(NamedTuple):
    """What a server says that it takes; None where it says nothing that can be kept to."""

    recipients: int | None = None
    """Of one message (RCPTMAX)."""
    messages: int | None = None
    """Over one connection (MAILMAX)."""


def read_limits(parameters: str) -> Announced:
    """Read the parameters of LIMITS; none, where it is not offered, are no limits."""
    found: dict[str, int] = {}
    for word in parameters.split():
        name, _, value = word.partition("=")
        if value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
            found.setdefault(name.upper(), int(value))
    return Announced(found.get("RCPTMAX") or None, found.get("MAILMAX") or None)
