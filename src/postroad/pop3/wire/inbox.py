"""Octets of a POP3 client, cut into lines (RFC 1939 §3)."""

from enum import Enum, auto
from typing import Final

MAX_ENDLESS: Final = 64 * 1024
"""How much of one overlong line is skipped before the peer is given up."""


class Unread(Enum):
    """A line that is not there to be read."""

    TOO_LONG = auto()


class Inbox:
    """What has come and is not a line yet; only CR LF ends one: whatever else looks like an end is not."""

    __slots__ = ("_held", "_searched", "_skipped")

    def __init__(self) -> None:
        self._held = bytearray()
        self._searched = 0
        self._skipped = 0

    def __len__(self) -> int:
        return len(self._held)

    def add(self, data: bytes) -> None:
        """Take bytes from the client."""
        self._held += data

    def clear(self) -> None:
        """Forget what has come."""
        self._held.clear()
        self._searched = self._skipped = 0

    def line(self, limit: int) -> bytes | Unread | None:
        """Take a line of at most `limit` octets, its end counted, or None until there is one.

        Of a longer one only its end is kept.
        """
        held = self._held
        end = held.find(b"\r\n", self._searched)
        if end < 0:
            # The last octet may be the CR of a CR LF that was cut in two.
            self._searched = max(len(held) - 1, 0)
            if len(held) + self._skipped > limit:
                self._skipped += self._searched
                del held[: self._searched]
                self._searched = 0
            return None
        length = end + 2 + self._skipped
        line = bytes(held[:end]) if length <= limit else Unread.TOO_LONG
        del held[: end + 2]
        self._searched = self._skipped = 0
        return line

    def endless(self) -> bool:
        """Whether a line goes on and on."""
        return self._skipped > MAX_ENDLESS

    def begins_tls(self) -> bool:
        """Whether a TLS handshake came where clear text is spoken."""
        return self._held.startswith(b"\x16\x03")
