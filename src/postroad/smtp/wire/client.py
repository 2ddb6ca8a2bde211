"""The client's half of an SMTP dialogue: replies in, commands and message octets out (RFC 5321).

Nothing here raises on what a server sends: a reply that is none is a
`Garbage`, and the connection is of no more use.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from postroad.model.address import Address
from postroad.model.envelope import Recipient
from postroad.smtp.wire.data import ends_well
from postroad.smtp.wire.params import decode_xtext, encode_xtext
from postroad.smtp.wire.replies import Reply, parse_line, split_enhanced

LINES: Final = 128
"""Lines of one reply; servers that say more are not heard out."""
LINE_OCTETS: Final = 4096
_SHORT: Final = 128
"""Octets of a line below which the reply that it is may be remembered."""

Extensions: TypeAlias = dict[str, str]
"""What EHLO was answered with: keywords in capitals, and their parameters."""

_LONE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")


@dataclass(frozen=True, slots=True)
class Garbage:
    """What came is no SMTP reply."""

    reason: str


class ReplyReader:
    """Makes replies of octets, however the network cut them."""

    __slots__ = ("_code", "_garbage", "_inbox", "_lines")

    def __init__(self) -> None:
        self._inbox = bytearray()
        self._lines: list[bytes] = []
        self._code = 0
        self._garbage: Garbage | None = None

    def receive(self, data: bytes) -> None:
        """Take octets from the server."""
        if self._garbage is None:
            self._inbox += data

    @property
    def pending(self) -> bool:
        """Whether octets are there that no reply has been made of."""
        return bool(self._inbox or self._lines)

    def next_reply(self) -> Reply | Garbage | None:
        """The next whole reply; None until more octets arrive; after garbage nothing but that."""
        while self._garbage is None:
            end = self._inbox.find(b"\n", 0, LINE_OCTETS)
            if end < 0:
                if len(self._inbox) < LINE_OCTETS:
                    return None
                return self._give_up("a reply line without end")
            line = bytes(self._inbox[: end + 1])
            del self._inbox[: end + 1]
            if end < _SHORT and not self._lines and (whole := _whole_reply(line)) is not None:
                return whole
            parsed = parse_line(line[:-2]) if line.find(b"\r") == end - 1 else None
            if parsed is None or (self._lines and parsed[0] != self._code):
                return self._give_up(f"not an SMTP reply: {_shown(line)}")
            self._code, last, text = parsed
            self._lines.append(text)
            if last:
                return self._reply()
            if len(self._lines) >= LINES:
                return self._give_up("a reply without end")
        return self._garbage

    def _give_up(self, reason: str) -> Garbage:
        self._garbage = Garbage(reason)
        self._inbox.clear()
        self._lines.clear()
        return self._garbage

    def _reply(self) -> Reply:
        reply = _made_of(self._code, self._lines)
        self._lines.clear()
        return reply


@lru_cache(maxsize=256)  # a server says the same again and again
def _whole_reply(line: bytes) -> Reply | None:
    """The reply that one line is by itself; None where it is not."""
    parsed = parse_line(line[:-2]) if line.find(b"\r") == len(line) - 2 else None
    return _made_of(parsed[0], [parsed[2]]) if parsed is not None and parsed[1] else None


def _made_of(code: int, lines: list[bytes]) -> Reply:
    parts = [split_enhanced(code, line) for line in lines]
    text = "\n".join(text.decode("utf-8", "replace") for _, text in parts)
    # It belongs on every line (RFC 2034 §4); some servers put it on the first one alone.
    return Reply(code, next((enhanced for enhanced, _ in parts if enhanced), ""), text)


class DataEncoder:
    """Octets of a message as DATA wants them: dots doubled, lines ended by CR LF (RFC 5321 §4.5.2).

    Fed in slices cut anywhere. No bare CR or LF ever leaves (SAFETY: smuggling
    out); what is stored comes from DATA that was checked, so this mends what
    other ways into the queue may bring.
    """

    __slots__ = ("_before", "_held")

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
        if not ends_well(piece):
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


def bdat(octets: int, *, last: bool) -> bytes:
    """The command in front of a chunk of so many octets (RFC 3030 §2)."""
    return b"BDAT %d LAST\r\n" % octets if last else b"BDAT %d\r\n" % octets


def whole_lines(message: bytes) -> bytes:
    """A message as a chunk of text wants it: the octets that DATA would carry, dots as they are."""
    if not ends_well(message):
        message = _LONE.sub(b"\r\n", message)
    return message if message.endswith(b"\r\n") or not message else message + b"\r\n"


def parse_extensions(reply: Reply) -> Extensions:
    """EHLO keywords in capitals, with their parameters (RFC 5321 §4.1.1.1)."""
    found = {}
    for line in reply.text.split("\n")[1:]:
        keyword, _, parameters = line.strip().partition(" ")
        if keyword.upper().startswith("AUTH="):
            continue  # a form from before RFC 2554
        found[keyword.upper()] = parameters.strip()
    return found


def mail_command(
    sender: Address | None,
    extensions: Extensions,
    *,
    size: int,
    body: str,
    smtputf8: bool,
    ret: str,
    envid: str,
    require_tls: bool = False,
    priority: int = 0,
    by: str = "",
) -> bytes:
    """MAIL with the parameters that the server knows (RFC 1870, 6152, 3030, 6531, 3461, 8689, 6710, 2852)."""
    words = [f"MAIL FROM:<{sender or ''}>"]
    if "SIZE" in extensions:
        words.append(f"SIZE={size}")
    if body != "7BIT" and body in extensions:
        words.append(f"BODY={body}")
    if smtputf8 and "SMTPUTF8" in extensions:
        words.append("SMTPUTF8")
    if require_tls and "REQUIRETLS" in extensions:
        words.append("REQUIRETLS")
    if "MT-PRIORITY" in extensions:
        words.append(f"MT-PRIORITY={priority}")  # RFC 6710 §4.2: also what is as usual
    if by:
        words.append(by)
    if "DSN" in extensions:
        if ret:
            words.append(f"RET={ret}")
        if envid:
            words.append(f"ENVID={_xtext(envid)}")
    return " ".join(words).encode() + b"\r\n"


def rcpt_command(recipient: Recipient, extensions: Extensions) -> bytes:
    """RCPT with the sender's wishes, where the server knows of such (RFC 3461 §5.2.1)."""
    words = [f"RCPT TO:<{recipient.address}>"]
    if "DSN" in extensions:
        if recipient.notify:
            words.append("NOTIFY=" + ",".join(sorted(recipient.notify)))
        kind, mark, address = recipient.original.partition(";")
        # utf-8 addresses have an encoding of their own (RFC 6533 §3), and have been checked for it.
        if mark and (address.isascii() or "SMTPUTF8" in extensions):
            words.append(f"ORCPT={kind};{address if kind.lower() == 'utf-8' else _xtext(address)}")
    return " ".join(words).encode() + b"\r\n"


def _xtext(text: str) -> str:
    """A DSN parameter as it came, which is xtext, or made so (RFC 3461 §4)."""
    octets = text.encode()
    return text if decode_xtext(octets) is not None else encode_xtext(octets).decode()


def _shown(line: bytes) -> str:
    return line[:80].decode("ascii", "replace").rstrip("\r\n")
