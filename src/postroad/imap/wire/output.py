"""What a session says, line by line (RFC 3501 §7)."""

from collections.abc import Sequence

from postroad.imap.wire.compression import Compression


class Output:
    """Collects responses; `data_to_send` gives them, once, in one piece."""

    __slots__ = ("_out", "_ready", "compression", "unsent")

    def __init__(self) -> None:
        self._out: list[bytes] = []
        self.unsent = 0
        """Octets that `data_to_send` would give, before they are compressed."""
        self._ready = b""
        """What was said before compression began."""
        self.compression: Compression | None = None
        """COMPRESS, once it is on (RFC 4978)."""

    def data_to_send(self) -> bytes:
        """Give, once, what the client has to be sent."""
        out = self._out
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        self.unsent = 0
        if self.compression is not None and data:
            data = self.compression.deflate(data)
        if self._ready:
            data, self._ready = self._ready + data, b""
        return data

    def compress_output(self, step: int) -> Compression:
        """Compress what is written from now on; `step` bounds the octets that are inflated at a time."""
        self._ready = self.data_to_send()
        self.compression = compression = Compression(step)
        return compression

    def end_output(self) -> None:
        """What is written from now on is not compressed; what was is the end of the stream."""
        assert self.compression is not None
        self._ready += self.compression.last(b"".join(self._out))
        self._out.clear()
        self.unsent = 0
        self.compression = None

    def write(self, lines: bytes) -> None:
        """Write whole lines that are ready, with their CR LF."""
        self._out.append(lines)
        self.unsent += len(lines)

    def write_all(self, pieces: Sequence[bytes]) -> None:
        """Write pieces that are whole lines together."""
        self._out += pieces
        self.unsent += sum(map(len, pieces))

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
