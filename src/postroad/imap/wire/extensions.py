"""Extensions whose syntax is known, and served only where a session says so."""

from enum import Enum
from typing import Final


class Extension(Enum):
    """What a client may not use unless it is offered; the value is its capability.

    A modifier that is taken and not acted upon would be a lie, STORE's
    UNCHANGEDSINCE a dangerous one.
    """

    __hash__ = object.__hash__  # by identity, in C: Enum's own is a Python function

    BINARY = b"BINARY"
    """RFC 3516: `~{n}` in APPEND."""
    CONDSTORE = b"CONDSTORE"
    """RFC 7162 §3.1: CHANGEDSINCE, UNCHANGEDSINCE, SELECT (CONDSTORE), SEARCH MODSEQ."""
    QRESYNC = b"QRESYNC"
    """RFC 7162 §3.2: SELECT (QRESYNC …), VANISHED."""
    REV2 = b"IMAP4rev2"
    """RFC 9051: names and texts are UTF-8."""
    UTF8 = b"UTF8=ACCEPT"
    """RFC 6855 §3: the same, and no CHARSET in SEARCH."""
    SEARCHRES = b"SEARCHRES"
    """RFC 5182: RETURN (SAVE) and `$`."""
    UIDONLY = b"UIDONLY"
    """RFC 9586: once it is enabled, message numbers are refused and not told."""


ENABLED: Final = frozenset({Extension.QRESYNC, Extension.REV2, Extension.UTF8})
"""Those of them that a client has to enable before it uses them (RFC 5161 §3)."""
