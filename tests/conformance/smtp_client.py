"""An SMTP client that reads replies strictly and says exactly what it is told to (RFC 5321 §4.2)."""

import base64
import re
import ssl
from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.conformance.wire import Wire

_LINE: Final = re.compile(rb"([2-5][0-5][0-9])(?:([- ])([\t\x20-\x7e]*))?")
_ENHANCED: Final = re.compile(rb"([245])\.[0-9]{1,3}\.[0-9]{1,3} ")


class Reply(NamedTuple):
    """One reply, its lines without the code."""

    code: int
    lines: list[bytes]

    @property
    def enhanced(self) -> bytes:
        """The enhanced status code (RFC 2034), empty where there is none."""
        found = _ENHANCED.match(self.lines[0])
        return found[0][:-1] if found else b""


class Smtp(Wire):
    """One SMTP connection; the greeting has been read."""

    def __init__(self, port: int, *, tls: ssl.SSLContext | None = None, source: str = "") -> None:
        super().__init__(port, tls=tls, source=source)
        self.extensions: dict[bytes, bytes] = {}
        self.greeting = self.reply()

    def reply(self) -> Reply:
        """Read one reply (RFC 5321 §4.2 Reply-line); enhanced codes must agree with it (RFC 2034 §4)."""
        lines: list[bytes] = []
        code = b""
        while True:
            line = self.line()
            assert len(line) <= 510, f"longer than a reply line may be: {line!r}"
            found = _LINE.fullmatch(line)
            assert found, f"no reply line: {line!r}"
            assert code in (b"", found[1]), f"the code changed within a reply: {code!r} {line!r}"
            code = found[1]
            text = found[3] or b""
            enhanced = _ENHANCED.match(text)
            assert enhanced is None or enhanced[1] == code[:1], f"the codes contradict: {line!r}"
            lines.append(text)
            if found[2] != b"-":
                return Reply(int(code), lines)

    def do(self, command: bytes) -> Reply:
        """Send a line and read its reply."""
        self.send(command + b"\r\n")
        return self.reply()

    def expect(self, code: int, command: bytes) -> Reply:
        """As `do`; the reply must have this code."""
        reply = self.do(command)
        assert reply.code == code, f"{command[:200]!r}: {reply}"
        return reply

    def ehlo(self, name: bytes = b"client.test") -> "Smtp":
        """EHLO, and learn the extensions."""
        reply = self.expect(250, b"EHLO " + name)
        words = [line.partition(b" ") for line in reply.lines[1:]]
        self.extensions = {keyword.upper(): rest for keyword, _, rest in words}
        return self

    def transaction(self, sender: bytes, recipients: Sequence[bytes]) -> None:
        """MAIL and RCPT, all of which must be accepted."""
        self.expect(250, b"MAIL FROM:<" + sender + b">")
        for recipient in recipients:
            self.expect(250, b"RCPT TO:<" + recipient + b">")

    def data(self, content: bytes) -> Reply:
        """DATA with exactly these octets, which have to end the message themselves."""
        self.expect(354, b"DATA")
        self.send(content)
        return self.reply()

    def message(self, content: bytes, sender: bytes = b"x@there.test", to: bytes = b"ada@ours.test") -> Reply:
        """One whole transaction; dots are stuffed here."""
        self.transaction(sender, [to])
        return self.data(re.sub(rb"(?m)^\.", b"..", content) + b".\r\n")

    def log_in(self, user: str, password: str) -> "Smtp":
        """AUTH PLAIN (RFC 4954)."""
        secret = base64.b64encode(f"\0{user}\0{password}".encode())
        self.expect(235, b"AUTH PLAIN " + secret)
        return self
