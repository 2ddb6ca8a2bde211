"""A socket that is read strictly: lines end with CR LF, nothing else, and nothing may be left over."""

import itertools
import socket
import ssl
from typing import Final

PATIENCE: Final = 30.0
"""Bounds how long a failure takes; no test depends on it."""

_strangers = itertools.count(1)
_friends = itertools.count(1)


def stranger() -> str:
    """A client address that no other connection of this run has used.

    The server bounds connections, log-ins and commands by client address; all
    of 127/8 is ours, so that one test never pays for another.
    """
    number = next(_strangers)
    return f"127.{10 + number // 60000 % 40}.{number // 250 % 240}.{number % 250 + 1}"


def friend() -> str:
    """A client address that sixty connections in a row have.

    A known password from a known address is verified at once.
    """
    return f"127.60.{next(_friends) // 60}.1"


class Wire:
    """One connection to the server."""

    def __init__(self, port: int, *, tls: ssl.SSLContext | None = None, source: str = "") -> None:
        self.source = source or stranger()
        self._socket: socket.socket = socket.create_connection(
            ("127.0.0.1", port), PATIENCE, source_address=(self.source, 0)
        )
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._held = bytearray()
        if tls is not None:
            self.start_tls(tls)

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Begin TLS; whatever came in clear behind the answer is an error."""
        assert not self._held, f"came in clear, before TLS: {bytes(self._held)!r}"
        self._socket = context.wrap_socket(self._socket, server_hostname="localhost")

    def send(self, data: bytes) -> None:
        """Send everything."""
        self._socket.sendall(data)

    def line(self) -> bytes:
        """Read one line, without its CR LF."""
        while (end := self._held.find(b"\n")) < 0:
            self._more()
        line = bytes(self._held[: end + 1])
        del self._held[: end + 1]
        assert line.endswith(b"\r\n"), f"ends with a bare LF: {line!r}"
        assert b"\r" not in line[:-2], f"holds a bare CR: {line!r}"
        return line[:-2]

    def exactly(self, count: int) -> bytes:
        """Read so many octets."""
        while len(self._held) < count:
            self._more()
        data = bytes(self._held[:count])
        del self._held[:count]
        return data

    def to_end(self) -> bytes:
        """Read until the server closes."""
        try:
            while True:
                self._more()
        except (EOFError, ConnectionError, ssl.SSLError):
            pass
        data, self._held = bytes(self._held), bytearray()
        return data

    def is_silent(self, seconds: float = 0.2) -> bool:
        """Whether nothing more comes for a moment; true is never proof, false is."""
        if self._held:
            return False
        self._socket.settimeout(seconds)
        try:
            self._more()
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(PATIENCE)
        return False

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def end_writing(self) -> None:
        """Send FIN and go on reading."""
        self._socket.shutdown(socket.SHUT_WR)

    def _more(self) -> None:
        data = self._socket.recv(1 << 18)
        if not data:
            raise EOFError("the server closed the connection")
        self._held += data
