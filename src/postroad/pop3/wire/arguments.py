"""Commands about messages, from their arguments (RFC 1939 §5, §7)."""

from collections.abc import Callable
from typing import Final

from postroad.pop3.wire.events import Dele, Event, List, Retr, Rset, Stat, Top, Uidl

_MAX_DIGITS: Final = 10


class BadArguments(ValueError):
    """What follows the verb is not what it takes; `text` says so to the client."""

    def __init__(self, text: bytes) -> None:
        super().__init__(text.decode())
        self.text = text


def _number(rest: bytes) -> int:
    number = _natural(rest.strip())
    if number is None:
        raise BadArguments(b"a message number is needed")
    return number


def _number_or_all(rest: bytes) -> int | None:
    return _number(rest) if rest.strip() else None


def _top(rest: bytes) -> Top:
    first, _, second = rest.strip().partition(b" ")
    number, lines = _natural(first), _natural(second.strip())
    if number is None or lines is None:
        raise BadArguments(b"TOP needs a message number and a number of lines")
    return Top(number, lines)


def _natural(text: bytes) -> int | None:
    return int(text) if text.isdigit() and len(text) <= _MAX_DIGITS else None


ABOUT_MESSAGES: Final[dict[bytes, Callable[[bytes], Event]]] = {
    b"RETR": lambda rest: Retr(_number(rest)),
    b"DELE": lambda rest: Dele(_number(rest)),
    b"LIST": lambda rest: List(_number_or_all(rest)),
    b"UIDL": lambda rest: Uidl(_number_or_all(rest)),
    b"STAT": lambda _: Stat(),
    b"TOP": _top,
    b"RSET": lambda _: Rset(),
}
"""What each verb makes of what follows it, or raises BadArguments."""
