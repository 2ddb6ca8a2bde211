"""In what order SORT and THREAD give messages (RFC 5256, RFC 5257, RFC 5957)."""

from enum import Enum
from typing import NamedTuple


class SortKey(Enum):
    """What of a message is compared; the value is the name in the command."""

    ANNOTATION = b"ANNOTATION"
    """RFC 5257 §4.9."""
    ARRIVAL = b"ARRIVAL"
    CC = b"CC"
    DATE = b"DATE"
    DISPLAYFROM = b"DISPLAYFROM"
    DISPLAYTO = b"DISPLAYTO"
    FROM = b"FROM"
    RELEVANCY = b"RELEVANCY"
    """RFC 6203 §6; the best comes first."""
    SIZE = b"SIZE"
    SUBJECT = b"SUBJECT"
    TO = b"TO"


class SortCriterion(NamedTuple):
    """One key, perhaps with REVERSE in front of it."""

    key: SortKey
    reverse: bool = False
    entry: str = ""
    """Of ANNOTATION: which entry."""
    private: bool = False
    """And whether it is its private value."""


class ThreadAlgorithm(Enum):
    """How messages are gathered in conversations; the value is the name in the command."""

    ORDEREDSUBJECT = b"ORDEREDSUBJECT"
    REFERENCES = b"REFERENCES"
    REFS = b"REFS"
    """draft-ietf-morg-inthread §4."""
