"""What an SPF check says, and on what evidence (RFC 7208 §2.6)."""

from typing import Literal, TypeAlias

from msgspec import Struct

Verdict: TypeAlias = Literal["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"]
Identity: TypeAlias = Literal["mailfrom", "helo"]


class Matched(Struct, frozen=True):
    """A term of a record that matched the client."""

    domain: str
    """Whose record holds it."""
    term: str
    """As it is written there: `include:spf.example.net`, `-all`."""


class Spf(Struct, frozen=True):
    """One finished check of one identity."""

    verdict: Verdict
    identity: Identity
    domain: str
    """The domain that was asked for its policy; empty when there was none to ask."""
    matched: tuple[Matched, ...] = ()
    """The term that matched and, inside of an include, the one that matched there, and so on; empty: none."""
    record: str = ""
    """The record that holds the first of them, as text; after a redirect it is not that of `domain`."""
    explanation: str = ""
    """What the domain says to those it refuses (RFC 7208 §6.2); a stranger's words, printable ASCII."""
    problem: str = ""
    """Why there is an error, or no policy."""
    lookups: int = 0
    """Terms that cost a look-up (RFC 7208 §4.6.4)."""
    voids: int = 0
    """Look-ups that found nothing."""
