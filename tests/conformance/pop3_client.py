"""A POP3 client that reads strictly (RFC 1939 §3)."""

import re
from typing import Final, NamedTuple

from tests.conformance.wire import Wire

_STATUS: Final = re.compile(rb"(\+OK|-ERR)(?: ([\t\x20-\x7e]*))?")
_RESP_CODE: Final = re.compile(rb"\[([A-Z]+(?:[-/][A-Z]+)*)\] ")


class Status(NamedTuple):
    """One status line."""

    ok: bool
    text: bytes

    @property
    def code(self) -> bytes:
        """The response code (RFC 2449 §8), empty where there is none."""
        found = _RESP_CODE.match(self.text)
        return found[1] if found else b""


class Pop3(Wire):
    """One POP3 connection; the greeting has been read."""

    def __init__(self, port: int, **how: object) -> None:
        super().__init__(port, **how)  # type: ignore[arg-type]
        self.greeting = self.status()

    def status(self) -> Status:
        """Read a status line; RFC 1939 §3 bounds it to 512 octets."""
        line = self.line()
        assert len(line) <= 510, f"longer than a response may be: {line!r}"
        found = _STATUS.fullmatch(line)
        assert found, f"no status line: {line!r}"
        return Status(found[1] == b"+OK", found[2] or b"")

    def do(self, command: bytes) -> Status:
        """Send a command and read its status line."""
        self.send(command + b"\r\n")
        return self.status()

    def ok(self, command: bytes) -> bytes:
        """As `do`; it must succeed. Gives the text."""
        status = self.do(command)
        assert status.ok, f"{command!r}: {status}"
        return status.text

    def err(self, command: bytes) -> Status:
        """As `do`; it must be refused."""
        status = self.do(command)
        assert not status.ok, f"{command!r}: {status}"
        return status

    def body(self) -> bytes:
        """Read a multi-line response to its end and take the stuffing out (RFC 1939 §3)."""
        lines = []
        while (line := self.long_line()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def long_line(self) -> bytes:
        """A line with its CR LF; it may hold any octets, a bare CR too."""
        while (end := self._held.find(b"\r\n")) < 0:
            self._more()
        line = bytes(self._held[: end + 2])
        del self._held[: end + 2]
        return line

    def lines(self, command: bytes) -> list[bytes]:
        """A command with a multi-line answer, as lines."""
        self.ok(command)
        return self.body().split(b"\r\n")[:-1]

    def retrieve(self, command: bytes) -> bytes:
        """RETR or TOP: the octets."""
        self.ok(command)
        return self.body()

    def log_in(self, user: str, password: str) -> "Pop3":
        """USER and PASS."""
        self.ok(b"USER " + user.encode())
        self.ok(b"PASS " + password.encode())
        return self
