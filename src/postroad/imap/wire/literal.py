"""The head of a literal at the end of a line (RFC 3501 §4.3, RFC 7888 §3)."""

import re
from typing import Final, NamedTuple

_HEAD: Final = re.compile(rb"\{([0-9]++)(\+?)\}")
_ENDLESS: Final = 1 << 63
"""Stands for sizes of too many digits to be worth reading."""


class LiteralHead(NamedTuple):
    """`{size}`, `{size+}` and the same with `~` in front."""

    size: int
    waits: bool
    """Synchronising: the client sends nothing before it is invited."""


def literal_head(line: bytes) -> LiteralHead | None:
    """Return the head that ends `line`, or None.

    RFC 7888 §3 has a server look at the end of every line, whatever the
    command: where a head was overlooked, the octets of the literal would be
    taken for commands.
    """
    if not line.endswith(b"}"):
        return None
    match = _HEAD.fullmatch(line, max(line.rfind(b"{"), 0))
    if match is None:
        return None
    digits = match[1].lstrip(b"0")
    return LiteralHead(int(digits or b"0") if len(digits) <= 10 else _ENDLESS, not match[2])
