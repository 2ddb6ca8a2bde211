"""The client's half of an SMTP dialogue: replies in, message octets out (RFC 5321)."""

import re
from typing import Final

from postroad.smtp.wire.replies import Reply, parse_line, split_enhanced

LINES: Final = 128
"""Lines of one reply; servers that say more are not heard out."""
LINE_OCTETS: Final = 4096

_LONE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")


class Garbage(Exception):
    """What came is no SMTP reply: the connection is of no more use."""


class ReplyReader:
    """Makes replies of octets; raises Garbage instead of guessing."""

    def __init__(self) -> None:
        self._inbox = bytearray()
        self._lines: list[bytes] = []
        self._code = 0

    def receive(self, data: bytes) -> None:
        """Take octets from the server."""
        self._inbox += data

    @property
    def pending(self) -> bool:
        """Whether octets are there that no reply has been made of."""
        return bool(self._inbox or self._lines)

    def next_reply(self) -> Reply | None:
        """The next whole reply; None until more octets arrive.

        Raises:
            Garbage: a line that is no reply, codes that differ, or too much of it.
        """
        while (end := self._inbox.find(b"\n")) >= 0:
            line = bytes(self._inbox[:end]).rstrip(b"\r")
            del self._inbox[: end + 1]
            parsed = parse_line(line)
            if parsed is None or (self._lines and parsed[0] != self._code) or len(line) > LINE_OCTETS:
                raise Garbage(f"not an SMTP reply: {_shown(line)}")
            self._code, last, text = parsed
            self._lines.append(text)
            if last:
                return self._reply()
            if len(self._lines) >= LINES:
                raise Garbage("a reply without end")
        if len(self._inbox) > LINE_OCTETS:
            raise Garbage("a reply line without end")
        return None

    def _reply(self) -> Reply:
        parts = [split_enhanced(self._code, line) for line in self._lines]
        self._lines.clear()
        text = "\n".join(text.decode("utf-8", "replace") for _, text in parts)
        return Reply(self._code, parts[-1][0], text)


class DataEncoder:
    """Octets of a message as DATA wants them: dots doubled, lines ended by CR LF (RFC 5321 §4.5.2).

    Fed in slices cut anywhere. No bare CR or LF ever leaves (SAFETY: smuggling
    out); what is stored comes from DATA that was checked, so this mends what
    other ways into the queue may bring.
    """

    def __init__(self) -> None:
        self._before = b"\r\n"  # the two octets in front of the slice: a message begins a line
        self._held = b""

    def encode(self, slice_: bytes) -> bytes:
        """The next piece of the wire."""
        piece = self._held + slice_
        self._held = b""
        if piece.endswith(b"\r"):
            piece, self._held = piece[:-1], b"\r"  # whether it is bare is seen with the next slice
        if not piece:
            return b""
        ends = piece.count(b"\r\n")
        if piece.count(b"\n") != ends or piece.count(b"\r") != ends:
            piece = _LONE.sub(b"\r\n", piece)
        encoded = piece.replace(b"\r\n.", b"\r\n..")
        if piece.startswith(b".") and self._before == b"\r\n":
            encoded = b"." + encoded
        self._before = (self._before + piece)[-2:]
        return encoded

    def finish(self) -> bytes:
        """The end: a line end where there is none, and the dot."""
        tail = b"\r\n" if self._held else b""
        self._held = b""
        end = (self._before + tail)[-2:]
        return tail + (b".\r\n" if end == b"\r\n" else b"\r\n.\r\n")


def parse_extensions(reply: Reply) -> dict[str, str]:
    """EHLO keywords in capitals, with their parameters (RFC 5321 §4.1.1.1)."""
    found = {}
    for line in reply.text.split("\n")[1:]:
        keyword, _, parameters = line.strip().partition(" ")
        if keyword.upper().startswith("AUTH="):
            continue  # a form from before RFC 2554
        found[keyword.upper()] = parameters.strip()
    return found


def xtext(text: str) -> str:
    """Encode a DSN parameter (RFC 3461 §4)."""
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in text)


def _shown(line: bytes) -> str:
    return line[:80].decode("ascii", "replace")
