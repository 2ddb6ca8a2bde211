"""What a client has switched on, by ENABLE or by using it (RFC 5161, RFC 7162 §3.1)."""


class Enabled:
    """Shared by a session and its selected mailbox; what is on stays on until the connection closes."""

    __slots__ = ("condstore", "qresync", "uidonly")

    def __init__(self) -> None:
        self.condstore = False
        """FETCH responses that nobody asked for name UID and MODSEQ (RFC 7162 §3.2.4)."""
        self.qresync = False
        """VANISHED stands in the place of EXPUNGE (RFC 7162 §3.2.10)."""
        self.uidonly = False
        """UIDs stand in the place of message numbers (RFC 9586)."""
