"""What the pump asks of a protocol core, and who stands in for one."""

from typing import Protocol


class Core(Protocol):
    """What the pump asks of a protocol core."""

    def receive(self, data: bytes) -> None:
        """Take bytes from the peer; never raises."""
        ...

    def data_to_send(self) -> bytes:
        """Give, once, what the peer has to be sent."""
        ...

    def buffered(self) -> int:
        """Octets taken and not yet turned into events."""
        ...


class Early:
    """Stands in for a core until the session attaches its own; only keeps."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = bytearray()

    def receive(self, data: bytes) -> None:
        self.held += data

    def data_to_send(self) -> bytes:
        return b""

    def buffered(self) -> int:
        return len(self.held)
