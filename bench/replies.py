"""What a client waits for: replies that are checked as they come, in pieces of any size.

Each is fed until it says that it is whole. What is not the reply that was
asked for ends the run: a server that errs quickly has not been fast.
"""

import re
from typing import Final, Protocol


class Unexpected(Exception):
    """The server said something else than it should have."""


class Reply(Protocol):
    """What is awaited."""

    def feed(self, piece: bytes) -> bool:
        """Take a piece; True once the reply is whole.

        Raises:
            Unexpected
        """
        ...


class Codes:
    """SMTP replies with these codes, one after the other (RFC 5321 §4.2)."""

    def __init__(self, *codes: bytes) -> None:
        self._codes = codes
        self._text = b""

    def feed(self, piece: bytes) -> bool:
        """Take a piece of the replies."""
        text = self._text = self._text + piece
        if not text.endswith(b"\r\n"):
            return False
        got = [line[:3] for line in text.split(b"\r\n") if line[3:4] == b" "]
        if any(code != wanted for code, wanted in zip(got, self._codes, strict=False)):
            raise Unexpected(text)
        return len(got) >= len(self._codes)


class Tagged:
    """Everything up to the tagged OK of an IMAP command (RFC 3501 §7.1).

    Of a long answer only its last line is kept; `of` is counted on the way and
    must be there `count` times.
    """

    _LONGEST: Final = 8192
    """No line that ends an answer is longer."""

    def __init__(self, tag: bytes, of: bytes = b"", count: int | None = None, *, keep: bool = False) -> None:
        self._tag = tag + b" "
        self._of = of
        self._wanted = count
        self._keep = keep
        self._tail = b""
        self.count = 0
        self.octets = 0
        self._pieces: list[bytes] = []

    @property
    def text(self) -> bytes:
        """The whole answer, if it was to be kept."""
        return b"".join(self._pieces)

    def feed(self, piece: bytes) -> bool:
        """Take a piece of the answer."""
        self.octets += len(piece)
        if self._of:
            overlap = len(self._of) - 1
            self.count += piece.count(self._of)
            if self._tail and overlap:
                self.count += (self._tail[-overlap:] + piece[:overlap]).count(self._of)
        if self._keep:
            self._pieces.append(piece)
        tail = self._tail = (self._tail + piece if len(piece) < self._LONGEST else piece)[-self._LONGEST :]
        if not tail.endswith(b"\r\n"):
            return False
        last = tail[tail.rfind(b"\n", 0, -1) + 1 :]
        if not last.startswith(self._tag):
            return False
        if not last.startswith(b"OK", len(self._tag)) or self._wanted not in (None, self.count):
            raise Unexpected(f"{self.count} of {self._wanted}: {tail[-300:]!r}")
        return True


class Untagged:
    """Lines up to one that matches, as `* 7 EXISTS` or the `+` of a continuation."""

    def __init__(self, pattern: bytes) -> None:
        self._pattern = re.compile(pattern)
        self.text = b""

    def feed(self, piece: bytes) -> bool:
        """Take a piece."""
        self.text += piece
        return self.text.endswith(b"\r\n") and self._pattern.search(self.text) is not None


class Okays:
    """So many POP3 replies of one line."""

    def __init__(self, count: int = 1) -> None:
        self._count = count
        self._text = b""

    def feed(self, piece: bytes) -> bool:
        """Take a piece."""
        self._text += piece
        if b"-ERR" in self._text:
            raise Unexpected(self._text)
        return self._text.endswith(b"\r\n") and self._text.count(b"\r\n") >= self._count


class Retrieved:
    """So many POP3 replies of many lines: messages (RFC 1939 §3)."""

    def __init__(self, count: int = 1) -> None:
        self._left = count
        self._tail = b""
        self.octets = 0

    def feed(self, piece: bytes) -> bool:
        """Take a piece; "\\r\\n.\\r\\n" ends a message and is nowhere within one."""
        if not self.octets and not piece.startswith(b"+"):
            raise Unexpected(piece[:300])
        self.octets += len(piece)
        text = self._tail + piece
        self._left -= text.count(b"\r\n.\r\n")
        self._tail = text[-4:]
        return self._left <= 0
