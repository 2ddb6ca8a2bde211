"""Messages for the load: plain, of an exact size, each with a subject of its own."""

from collections.abc import Iterator
from typing import Final

_LINE: Final = b"It can follow analysis, but it has no power of anticipating any truths.\r\n"
_HEAD: Final = (
    b"From: Load <load@elsewhere.test>\r\nTo: Ada <ada@ours.test>\r\nSubject: %b\r\n"
    b"Date: Thu, 1 Feb 2024 03:04:05 +0000\r\nMessage-ID: <%b@elsewhere.test>\r\n\r\n"
)
RARE: Final = b"ornithopter"
"""A word that one message in a hundred has, in its body and, as `rare`, in its subject."""


def message(number: int, size: int) -> bytes:
    """Make a message of `size` octets (or little more than its header, if that is larger)."""
    rare = number % 100 == 7
    subject = b"message %d%b" % (number, b" rare" if rare else b"")
    head = _HEAD % (subject, b"m%d" % number) + (RARE + b"\r\n" if rare else b"")
    left = max(0, size - len(head))
    lines, rest = divmod(left, len(_LINE))
    last = _LINE[: rest - 2] + b"\r\n" if rest >= 2 else b""
    return head + _LINE * lines + last


def messages(count: int, size: int) -> Iterator[bytes]:
    """Make so many."""
    return (message(number, size) for number in range(count))
