"""What a peer says before the session is ready to listen."""


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
