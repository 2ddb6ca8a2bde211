"""What a client has switched on, by ENABLE or by using it (RFC 5161, RFC 7162 §3.1)."""

from postroad.message.utf7 import encode_utf7


class Enabled:
    """Shared by a session and its selected mailbox; what is on stays on until the connection closes."""

    __slots__ = ("condstore", "qresync", "rev2", "uidonly", "utf8")

    def __init__(self) -> None:
        self.condstore = False
        """FETCH responses that nobody asked for name UID and MODSEQ (RFC 7162 §3.2.4)."""
        self.qresync = False
        """VANISHED stands in the place of EXPUNGE (RFC 7162 §3.2.10)."""
        self.uidonly = False
        """UIDs stand in the place of message numbers (RFC 9586)."""
        self.rev2 = False
        """The client speaks RFC 9051, and wants nothing that is gone from there (appendix A)."""
        self.utf8 = False
        """Names and quoted strings are UTF-8: IMAP4rev2, or UTF8=ACCEPT (RFC 6855 §3)."""

    def octets(self, name: str) -> bytes:
        """Return a mailbox name as the client wants it: in UTF-8 or modified UTF-7 (RFC 3501 §5.1.3)."""
        return name.encode() if self.utf8 else encode_utf7(name)
