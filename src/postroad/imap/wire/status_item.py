"""What STATUS can be asked for (RFC 3501 §6.3.10 and its extensions)."""

from enum import Enum


class StatusItem(Enum):
    """What STATUS tells; the value is its name in the response."""

    MESSAGES = b"MESSAGES"
    RECENT = b"RECENT"
    UIDNEXT = b"UIDNEXT"
    UIDVALIDITY = b"UIDVALIDITY"
    UNSEEN = b"UNSEEN"
    SIZE = b"SIZE"
    """RFC 8438."""
    DELETED = b"DELETED"
    """RFC 9051 §6.3.11."""
    DELETED_STORAGE = b"DELETED-STORAGE"
    """RFC 9208 §4.1.4: octets that EXPUNGE would free."""
    HIGHESTMODSEQ = b"HIGHESTMODSEQ"
    """RFC 7162 §3.1.7."""
    APPENDLIMIT = b"APPENDLIMIT"
    """RFC 7889 §4."""
    MAILBOXID = b"MAILBOXID"
    """RFC 8474 §4.3."""
