"""In what order SORT and THREAD give messages (RFC 5256, RFC 5957)."""

from enum import Enum
from typing import NamedTuple


class SortKey(Enum):
    """What of a message is compared; the value is the name in the command."""

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


class ThreadAlgorithm(Enum):
    """How messages are gathered in conversations; the value is the name in the command."""

    ORDEREDSUBJECT = b"ORDEREDSUBJECT"
    REFERENCES = b"REFERENCES"
    REFS = b"REFS"
    """draft-ietf-morg-inthread §4."""
