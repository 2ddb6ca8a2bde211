"""What a session says, line by line (RFC 3501 §7)."""


class Output:
    """Collects responses; `data_to_send` gives them, once, in one piece."""

    __slots__ = ("_out", "unsent")

    def __init__(self) -> None:
        self._out: list[bytes] = []
        self.unsent = 0
        """Octets that `data_to_send` would give."""

    def data_to_send(self) -> bytes:
        """Give, once, what the client has to be sent."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        self.unsent = 0
        return data

    def write(self, lines: bytes) -> None:
        """Write whole lines that are ready, with their CR LF."""
        self._out.append(lines)
        self.unsent += len(lines)

    def untagged(self, line: bytes) -> None:
        """Write `* line`."""
        self.write(b"* %b\r\n" % line)

    def tagged(self, tag: bytes, status: bytes, text: bytes, code: bytes = b"") -> None:
        """Write `tag OK [code] text`, which ends a command."""
        if code:
            self.write(b"%b %b [%b] %b\r\n" % (tag, status, code, text))
        else:
            self.write(b"%b %b %b\r\n" % (tag, status, text))

    def continuation(self, text: bytes = b"") -> None:
        """Write `+ text`."""
        self.write(b"+ %b\r\n" % text)
