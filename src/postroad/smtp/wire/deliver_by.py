"""By when a message is to be delivered: BY of MAIL FROM (RFC 2852)."""

import re
from typing import Final

from msgspec import Struct

from postroad.smtp.wire.replies import Reply

# RFC 2852 §4: by-time ";" by-mode [by-trace]; letters are of either case, as everywhere in ABNF.
_BY: Final = re.compile(rb"([+-]?[0-9]{1,9});([NRnr])([Tt]?)")
FARTHEST: Final = 999_999_999
"""Seconds that by-time has digits for."""

# Once its time is over a message could only come back.
OVER: Final = Reply(501, "5.5.4", "BY with R wants a time above 0")


class By(Struct, frozen=True):
    """What MAIL FROM asks for."""

    seconds: int
    returns: bool
    """Mode R: it comes back when it was not delivered in time. Mode N: its sender is told, and it goes on."""
    trace: bool


def is_by(value: bytes | None) -> bool:
    """Whether BY may have this value."""
    return value is not None and _BY.fullmatch(value) is not None


def parse_by(value: bytes, least: int) -> By | Reply:
    """Read a value that is well-formed; `least` seconds are what this server needs to deliver."""
    found = _BY.fullmatch(value)
    assert found is not None, "is_by has said yes"
    by = By(int(found[1]), found[2] in b"Rr", bool(found[3]))
    if by.returns and by.seconds <= 0:
        return OVER
    if by.returns and by.seconds < least:
        return Reply(555, "5.5.4", f"{least} seconds is the least in which this server delivers")
    return by


def keyword(least: int) -> str:
    """The EHLO keyword, with the least that is taken in mode R."""
    return f"DELIVERBY {least}" if least else "DELIVERBY"


def least_of(parameters: str) -> int:
    """What another server says that it needs (the first of its parameters); 0 if it does not say."""
    digits = parameters.split(",")[0].strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else 0


def argument(left: float, *, returns: bool, trace: bool) -> str:
    """BY for the next server; `left` seconds are left, or have passed since (mode N)."""
    seconds = max(-FARTHEST, min(int(left), FARTHEST))
    return f"BY={max(seconds, 1) if returns else seconds};{'R' if returns else 'N'}{'T' * trace}"
