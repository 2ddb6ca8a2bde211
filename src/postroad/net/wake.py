"""What `Connection.pump` tells a session."""

from enum import Enum, auto


class Wake(Enum):
    """Why `Connection.pump` came back."""

    DATA = auto()
    """The core has more bytes."""
    POKED = auto()
    """`Connection.poke` was called: something else happened (a change in the mailbox)."""
    TIMEOUT = auto()
    """The deadline passed."""
    DRAIN = auto()
    """The server is stopping and the peer is idle, or has no more time: say goodbye."""
    CLOSED = auto()
    """The peer is gone, or has sent its last byte and everything before it was seen."""
