"""Command lines out of an inbox: CR LF alone ends one, and nothing else may be mistaken for an end."""

from typing import Final

from postroad.model.octets import CR, NUL
from postroad.smtp.wire.replies import Reply

SKIPPED_OCTETS: Final = 64 * 1024
"""What is read of a refused line before the peer is hung up on."""

TOO_LONG: Final = Reply(500, "5.5.2", "the line is too long")
BARE_LF: Final = Reply(500, "5.5.2", "bare LF: lines end in CR LF")
BAD_OCTET: Final = Reply(500, "5.5.2", "a CR or NUL has no place in a command")
ENDLESS: Final = Reply(500, "5.5.2", "the line does not end")


class LineReader:
    """Takes lines, or the reply that says what is wrong with one.

    A line is judged by its octets alone, however the network cut them. At a
    bare LF the peer is told at once, and what follows is dropped up to the
    next CR LF: a server before this one, to which the LF was part of the line,
    has seen no command there either.
    """

    __slots__ = ("_skipped", "refused")

    def __init__(self) -> None:
        self.refused = b""
        """How the line began that was refused last: a verb of four letters, if it had one."""
        self._skipped = -1  # octets dropped of a refused line whose end has not come, else -1

    def take(self, inbox: bytearray, limit: int) -> bytes | Reply | None:
        """Take one line without its CR LF; `limit` counts the CR LF. None until a whole one is there."""
        if self._skipped >= 0 and (reply := self._skip(inbox)) is not None:
            return reply
        if self._skipped >= 0:
            return None
        end = inbox.find(b"\n", 0, limit)
        if end < 0:
            if len(inbox) < limit:
                return None
            self.refused = bytes(inbox[:4])
            self._skipped = 0
            self._skip(inbox)
            return TOO_LONG
        ends_well = end > 0 and inbox[end - 1] == CR
        line = bytes(inbox[: end - ends_well])
        del inbox[: end + 1]
        if not ends_well:
            self.refused = line[:4]
            self._skipped = 0
            return BARE_LF
        if CR in line or NUL in line:
            self.refused = line[:4]
            return BAD_OCTET
        return line

    def _skip(self, inbox: bytearray) -> Reply | None:
        end = inbox.find(b"\r\n")
        drop = end + 2 if end >= 0 else len(inbox) - inbox.endswith(b"\r")
        del inbox[:drop]
        self._skipped += drop
        if self._skipped > SKIPPED_OCTETS:
            return ENDLESS
        if end >= 0:
            self._skipped = -1
        return None
