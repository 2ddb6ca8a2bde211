"""From a stream of octets to lines and literals (RFC 3501 §2.2 and §4.3)."""

from enum import Enum, auto
from typing import Final

from postroad.imap.wire.literal import LiteralHead, literal_head

_HEAD_OCTETS: Final = 300
"""What is kept to be looked at of a line that is not taken: its tag, and whether it is HTTP."""
_TAIL: Final = 32
"""What is kept of a line that is being dropped: enough to see a literal at its end."""


class LineFault(Enum):
    """Why the octets at hand are not taken for a line; the value is what to say."""

    TOO_LONG = b"the command is too long"
    BARE_LF = b"lines end with CR LF; LF has no other place"


class Dropped(Enum):
    """How far `drop` has come."""

    WAIT = auto()
    """The end of the command has not come yet."""
    DONE = auto()
    """The next octet begins a command."""
    TOO_MUCH = auto()
    """More is to be dropped than the budget allows."""


class Inbox:
    """What has come from the client and has not been taken."""

    __slots__ = ("_budget", "_data", "_dropped", "_octets", "_scanned")

    def __init__(self) -> None:
        self._data = bytearray()
        self._scanned = 0
        """No line feed stands in front of here."""
        self._octets = 0
        """Of a literal that is being dropped."""
        self._dropped = 0
        self._budget = 0

    def __len__(self) -> int:
        return len(self._data)

    def add(self, data: bytes) -> None:
        """Take octets in."""
        self._data += data

    def clear(self) -> None:
        """Forget everything."""
        self._data.clear()
        self._scanned = 0

    def line(self, room: int) -> bytes | LineFault | None:
        """Take the next line, of at most `room` octets, without its CR LF.

        None where its end has not come. A line with a fault stays, so that
        `start` shows where it began; go on with `begin_drop`.
        """
        data = self._data
        end = data.find(b"\n", self._scanned)
        if end < 0:
            if len(data) > room + 1:
                return LineFault.TOO_LONG
            self._scanned = len(data)
            return None
        if end > room + 1:
            return LineFault.TOO_LONG
        if end == 0 or data[end - 1] != 0x0D:
            # Never the end of a line: what else reads this stream might not agree that it is one.
            return LineFault.BARE_LF
        line = bytes(data[: end - 1])
        del data[: end + 1]
        self._scanned = 0
        return line

    def begins(self, octets: bytes) -> bool:
        """Tell whether what is there begins like this."""
        return self._data.startswith(octets)

    def start(self, room: int) -> bytes:
        """Return the beginning of a faulty line, the same however the stream was cut."""
        start = bytes(self._data[: min(room + 1, _HEAD_OCTETS)])
        return start.partition(b"\n")[0]

    def take(self, octets: int) -> bytes:
        """Take up to so many octets, as they are there."""
        data = self._data
        if len(data) <= octets:
            taken = bytes(data)
            data.clear()
            return taken
        with memoryview(data) as view:  # a slice of the data itself would be a copy more
            taken = view[:octets].tobytes()
        del data[:octets]
        return taken

    def begin_drop(self, head: LiteralHead | None, budget: int) -> None:
        """Start to drop the rest of a command: a literal's octets, then a line, then maybe more.

        `head` None means that a line has begun already.
        """
        self._octets = head.size if head is not None else 0
        self._dropped = 0
        self._budget = budget
        self._scanned = 0

    def drop(self) -> Dropped:
        """Drop what is there of what is to be dropped; constant memory for any size."""
        data = self._data
        while True:
            if self._dropped + self._octets > self._budget:
                return Dropped.TOO_MUCH
            gone = min(self._octets, len(data))
            del data[:gone]
            self._dropped += gone
            self._octets -= gone
            if self._octets:
                return Dropped.WAIT
            end = data.find(b"\r\n")
            # The last octet may be the CR of the end of the line.
            if self._dropped + (end if end >= 0 else len(data) - 1) > self._budget:
                return Dropped.TOO_MUCH
            if end < 0:
                excess = max(len(data) - _TAIL, 0)
                del data[:excess]
                self._dropped += excess
                return Dropped.WAIT
            # RFC 7888 §3: the end of every line is looked at, of dropped ones too.
            head = literal_head(bytes(data[max(end - _TAIL, 0) : end]))
            del data[: end + 2]
            if head is None or head.waits:
                return Dropped.DONE
            self._dropped += end
            self._octets = head.size
