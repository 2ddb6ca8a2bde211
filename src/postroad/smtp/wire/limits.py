"""LIMITS: how much another server takes at a time (RFC 9422)."""

from typing import Final

_MOST_DIGITS: Final = 6


def limit(parameters: str, name: str) -> int | None:
    """The limit of that name among what the server says of them; None where it says none that can be kept."""
    for word in parameters.split():
        key, _, value = word.partition("=")
        if key.upper() == name and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
            return int(value) or None
    return None
