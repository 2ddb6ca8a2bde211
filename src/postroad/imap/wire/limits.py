"""What a client may cost us before it is refused (RFC 7888 §4, RFC 9051 §11)."""

from typing import Final

from msgspec import Struct

from postroad.imap.wire.literal import LiteralHead


class ImapLimits(Struct, frozen=True):
    """Numbers for one core; the names are those of the `[limits]` settings."""

    line_prelogin: int = 8 * 1024
    """Octets of a command before log-in, its literals included."""
    line: int = 64 * 1024
    """Octets of a command after log-in, its literals apart."""
    literal: int = 64 * 1024
    """Octets of one literal that is not a message."""
    literals_size: int = 256 * 1024
    """Octets of all such literals of a command."""
    literals: int = 100
    """How many of them a command may have."""
    nonsync_prelogin: int = 4096
    """Largest non-synchronising literal before log-in: LITERAL- (RFC 7888 §5)."""
    metadata_value: int = 64 * 1024
    """Octets of the value of an annotation (RFC 5464 §4.3)."""
    message_size: int = 50 * 1024 * 1024
    """Octets of a message in APPEND (RFC 7889 APPENDLIMIT)."""
    discard: int = 128 * 1024 * 1024
    """Octets of refused non-synchronising literals that are read and dropped; beyond, BYE."""
    bad_prelogin: int = 10
    """Bad commands before log-in that end the session."""
    bad: int = 20
    """Bad commands in a row after log-in that end it."""

    def forbids_literals(self, head: LiteralHead, count: int, octets: int) -> bool:
        """Whether a command has too large a literal, too many, or too much in them."""
        return head.size > self.literal or count > self.literals or octets > self.literals_size

    def forbids_stranger(self, head: LiteralHead, octets: int) -> bool:
        """Whether a stranger says too much: thousands may leave a command half said, each holding octets."""
        unasked = not head.waits and head.size > self.nonsync_prelogin
        return unasked or octets > self.line_prelogin


SEARCH_DEPTH: Final = 64
"""Levels of parentheses, NOT and OR in a SEARCH."""
SEARCH_KEYS: Final = 1000
"""Keys of a SEARCH: each may cost a look at every header."""
SEARCH_TEXTS: Final = 100
"""BODY, TEXT and ANNOTATION among them: each may cost a look at every octet."""
SORT_CRITERIA: Final = 20
"""Criteria of a SORT: each is a column of keys, and there are ten different ones beside annotations."""
FETCH_ITEMS: Final = 500
"""Items of a FETCH: each may be a whole message, from another octet on."""
ANNOTATION_ENTRIES: Final = 100
"""Entries in the ANNOTATION items of a FETCH: each is told of every message."""
ANNOTATION_WILDCARDS: Final = 32
"""Wildcards in them: each is held against every name."""
LIST_PATTERNS: Final = 100
"""Patterns of a LIST: each is held against every name."""
URLS: Final = 100
"""URLs of a GENURLAUTH or URLFETCH: each is a look-up, and may be a whole message."""
