"""Message octets on the wire: the end of DATA, dot-stuffing, and what no message may hold.

The end is CR LF . CR LF and nothing else. Servers that took look-alikes for it
let a message carry further messages past the filters of the first server
("SMTP smuggling"), so a CR or LF that is not part of a CR LF pair is looked
for here as well, and a message with one is refused (RFC 5321 §2.3.8, §4.1.1.4).
"""

from typing import Final

from postroad.model.octets import NUL
from postroad.smtp.wire.replies import Reply

TERMINATOR: Final = b"\r\n.\r\n"

TOO_BIG: Final = Reply(552, "5.3.4", "the message is larger than this server takes")
BARE_LINE_END: Final = Reply(550, "5.5.2", "the message has a bare CR or LF; lines end in CR LF")
HAS_NUL: Final = Reply(550, "5.6.0", "the message has a NUL octet")
LONG_LINE: Final = Reply(500, "5.6.0", "the message has a line that is too long")


class Inspector:
    """Judges the octets of one message as they pass; the judgement does not depend on the cuts."""

    __slots__ = ("_bare", "_binary", "_cr", "_line", "_line_limit", "_long", "_nul", "_size_limit", "size")

    def __init__(self, size_limit: int, line_limit: int, *, binary: bool = False) -> None:
        """`binary`: it is no text, and only its size is looked at (RFC 3030 §3)."""
        self.size = 0
        self._binary = binary
        self._size_limit = size_limit
        self._line_limit = line_limit
        self._line = 0  # octets of the line that the last look ended in
        self._cr = False  # the last octet was a CR
        self._bare = self._nul = self._long = False

    def look(self, octets: bytes) -> bool:
        """Take note of the next octets; whether all is well so far."""
        self.size += len(octets)
        if self.size > self._size_limit:
            return False
        if self._binary:
            return True
        if not octets:
            return not (self._bare or self._nul or self._long)
        cut = self._cr
        self._cr = octets.endswith(b"\r")
        # What is wrong is looked for only where something is.
        if cut or NUL in octets or not ends_well(octets):
            self._judge(octets, cut=cut)
        self._measure(octets)
        return not (self._bare or self._nul or self._long)

    def _judge(self, octets: bytes, *, cut: bool) -> None:
        """Note what is wrong; `cut` when the octets before these ended in a CR."""
        pairs = octets.count(b"\r\n") + (cut and octets.startswith(b"\n"))
        returns = octets.count(b"\r") + cut - self._cr
        if not pairs == returns == octets.count(b"\n"):
            self._bare = True
        if NUL in octets:
            self._nul = True

    def verdict(self, *, whole: bool = True) -> Reply | None:
        """What is wrong with the message, or None; not `whole` while more of it is to come."""
        if self.size > self._size_limit:
            return TOO_BIG
        if self._bare or (whole and self._cr):
            return BARE_LINE_END
        if self._nul:
            return HAS_NUL
        return LONG_LINE if self._long else None

    def _measure(self, octets: bytes) -> None:
        """Look for a line longer than the limit, in steps of at least half of it."""
        size, limit = len(octets), self._line_limit
        start = -self._line  # where the running line began
        while size - start > limit:
            end = octets.rfind(b"\n", max(start, 0), max(start + limit, 0))
            if end < 0:
                self._long = True
                break
            start = end + 1
        start = octets.rfind(b"\n") + 1 or start
        self._line = min(size - start, limit + 1)


class DotReader:
    """Takes a message out of an inbox up to CR LF . CR LF (RFC 5321 §4.5.2)."""

    __slots__ = ("_first", "ended")

    def __init__(self, inbox: bytearray) -> None:
        # The CR LF of the DATA line is the one before the first line (§4.1.1.4): with it in
        # front, the first line is like any other, and an empty message is CR LF . CR LF.
        inbox[:0] = b"\r\n"
        self._first = True
        self.ended = False

    def read(self, inbox: bytearray) -> bytes:
        """Take what is certain out of `inbox`; empty when more octets must come first."""
        if self.ended:
            return b""
        # One search finds a stuffed dot or the end, whichever comes first; mostly there is no third.
        dot = end = inbox.find(b"\r\n.")
        if dot >= 0 and not inbox.startswith(TERMINATOR, dot):
            end = inbox.find(TERMINATOR, dot)
        if end >= 0:
            self.ended = True
            take, drop = end + 2, end + len(TERMINATOR)
        else:
            take = drop = len(inbox) - _held_back(inbox)
        if not take:
            return b""
        octets = _take(inbox, take, drop)
        if dot != end:
            # No terminator and no part of one is in here, so each CR LF . is a stuffed dot.
            octets = octets.replace(b"\r\n.", b"\r\n")
        if self._first:
            self._first = False
            octets = octets[2:]
        return octets


class ChunkReader:
    """Takes the octets of one BDAT out of an inbox (RFC 3030 §2)."""

    __slots__ = ("_remaining", "size")

    def __init__(self, size: int) -> None:
        self.size = self._remaining = size

    @property
    def ended(self) -> bool:
        """Whether the chunk is whole."""
        return not self._remaining

    def read(self, inbox: bytearray) -> bytes:
        """Take what is there of the chunk, and nothing behind it."""
        take = min(len(inbox), self._remaining)
        self._remaining -= take
        return _take(inbox, take, take)


def ends_well(octets: bytes) -> bool:
    """Whether no line ends but in CR LF: to write all ends anew takes half as long as to look for each."""
    return octets.replace(b"\r", b"").replace(b"\n", b"\r\n") == octets


def _take(inbox: bytearray, take: int, drop: int) -> bytes:
    with memoryview(inbox) as view:  # slicing the array itself would copy twice
        octets = bytes(view[:take])
    del inbox[:drop]
    return octets


def _held_back(inbox: bytearray) -> int:
    """How many octets at the end may be the beginning of the terminator."""
    for length in (4, 3, 2, 1):
        if inbox.endswith(TERMINATOR[:length]):
            return length
    return 0
