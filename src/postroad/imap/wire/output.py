"""What a session says, line by line (RFC 3501 §7)."""


class Output:
    """Collects responses; `data_to_send` gives them, once, in one piece."""

    __slots__ = ("_out",)

    def __init__(self) -> None:
        self._out: list[bytes] = []

    def data_to_send(self) -> bytes:
        """Give, once, what the client has to be sent."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def untagged(self, line: bytes) -> None:
        """Write `* line`."""
        self._out.append(b"* %b\r\n" % line)

    def tagged(self, tag: bytes, status: bytes, text: bytes, code: bytes = b"") -> None:
        """Write `tag OK [code] text`, which ends a command."""
        if code:
            self._out.append(b"%b %b [%b] %b\r\n" % (tag, status, code, text))
        else:
            self._out.append(b"%b %b %b\r\n" % (tag, status, text))

    def continuation(self, text: bytes = b"") -> None:
        """Write `+ text`."""
        self._out.append(b"+ %b\r\n" % text)

    def write(self, lines: bytes) -> None:
        """Write whole lines that are ready, with their CR LF."""
        self._out.append(lines)
