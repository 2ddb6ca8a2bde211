"""One decision about a message, and all of them together."""

from functools import lru_cache
from typing import Literal, TypeAlias

from msgspec import Struct, field

Fact: TypeAlias = str | int | float | bool | list[str]
Kind: TypeAlias = Literal["in", "out", "local", "refused"]


class Note(Struct, frozen=True):
    """A decision: what kind, and on what facts. Facts are plain values, never secrets or content."""

    kind: str
    facts: dict[str, Fact] = field(default_factory=dict)


class Trail(Struct, frozen=True):
    """What happened to one message, or to one session that was refused."""

    id: int
    at: float
    kind: Kind
    sender: str
    recipients: tuple[str, ...]
    message_id: str
    subject: str
    notes: tuple[tuple[float, Note], ...]
    """In the order in which they were made, with their times."""


_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: none looks like another


@lru_cache(maxsize=256)  # a message is named again and again while it is at work
def text_id(number: int) -> str:
    """The form of an id that people read and type: `T0000x7`."""
    digits = ""
    while number:
        number, rest = divmod(number, 32)
        digits = _ALPHABET[rest] + digits
    return "T" + digits.rjust(6, "0")


def from_text_id(text: str) -> int | None:
    """The number behind a text id; None when it is none."""
    if len(text) < 7 or text[0] not in "Tt":
        return None
    number = 0
    for character in text[1:].lower():
        digit = _ALPHABET.find(character)
        if digit < 0:
            return None
        number = number * 32 + digit
    return number
