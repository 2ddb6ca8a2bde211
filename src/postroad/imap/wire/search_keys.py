"""What SEARCH looks for, as a tree (RFC 3501 §6.4.4).

Keys that are another key in disguise arrive as that other key: NEW is RECENT
and not \\Seen, FROM is HEADER FROM, OLD is not RECENT.
"""

from collections.abc import Iterator
from datetime import date
from enum import Enum, auto
from typing import Any, TypeAlias

from msgspec import Struct

from postroad.imap.wire.sequence_set import SequenceSet
from postroad.model.flags import Flag


class DateField(Enum):
    """Which date of a message is meant."""

    INTERNAL = auto()
    SENT = auto()
    """The Date: field, its day as written, whatever its zone."""
    SAVED = auto()
    """When the message came into the mailbox it is in (RFC 8514 §4.3)."""


class DateTest(Enum):
    """How it is compared; times and zones do not count."""

    BEFORE = auto()
    ON = auto()
    SINCE = auto()
    """On that day or later."""


class AllMessages(Struct, frozen=True):
    """ALL, or with `savedate` SAVEDATESUPPORTED (RFC 8514 §4.3): every mailbox here has such dates."""

    savedate: bool = False


class And(Struct, frozen=True):
    """Every one of these keys; what stands side by side or in parentheses."""

    keys: tuple["SearchKey", ...]


class Or(Struct, frozen=True):
    """OR: either key."""

    first: "SearchKey"
    second: "SearchKey"


class Not(Struct, frozen=True):
    """NOT: the messages that the key does not match."""

    key: "SearchKey"


class Fuzzy(Struct, frozen=True):
    """FUZZY: the key, matched as a person would (RFC 6203)."""

    key: "SearchKey"


class FlagKey(Struct, frozen=True):
    """SEEN, UNSEEN, DELETED … : one system flag is set or is not."""

    flag: Flag
    present: bool


class RecentKey(Struct, frozen=True):
    """RECENT and OLD: the session has the message as \\Recent or has not."""

    present: bool


class KeywordKey(Struct, frozen=True):
    """KEYWORD and UNKEYWORD; keywords compare without case."""

    keyword: str
    present: bool


class NumberKey(Struct, frozen=True):
    """Messages by number."""

    numbers: SequenceSet


class UidKey(Struct, frozen=True):
    """UID: messages by UID."""

    uids: SequenceSet


class BoundKey(Struct, frozen=True):
    """UIDAFTER and UIDBEFORE, both without the UID itself (RFC 9738 §3.2)."""

    uid: int
    after: bool


class DateKey(Struct, frozen=True):
    """BEFORE, ON, SINCE, and the same with SENT or SAVED in front."""

    field: DateField
    test: DateTest
    day: date


class AgeKey(Struct, frozen=True):
    """OLDER and YOUNGER: the age in seconds by the internal date (RFC 5032)."""

    seconds: int
    older: bool


class SizeKey(Struct, frozen=True):
    """LARGER and SMALLER, both without the size itself."""

    octets: int
    larger: bool


class HeaderKey(Struct, frozen=True):
    """HEADER, BCC, CC, FROM, SUBJECT, TO.

    An empty text matches every message that has the field.
    """

    field: str
    """As written; field names compare without case."""
    text: str


class BodyKey(Struct, frozen=True):
    """BODY: the text stands in the body."""

    text: str


class TextKey(Struct, frozen=True):
    """TEXT: the text stands in the header or the body."""

    text: str


class AnnotationKey(Struct, frozen=True):
    """ANNOTATION: the text stands in a value of a matching entry (RFC 5257 §4.8)."""

    entry: str
    """A name, or a pattern with `*` and `%`."""
    private: frozenset[bool]
    """Which values: private ones (True), shared ones, or both."""
    text: str | None
    """None, written NIL: there is no such value at all."""


class ModseqKey(Struct, frozen=True):
    """MODSEQ: changed at this mod-sequence or later (RFC 7162 §3.1.5)."""

    modseq: int


class EmailKey(Struct, frozen=True):
    """EMAILID: the message has this id (RFC 8474 §6)."""

    email_id: str


class ThreadKey(Struct, frozen=True):
    """THREADID: the message is in the thread with this id (RFC 8474 §6)."""

    thread_id: str


SearchKey: TypeAlias = (
    AllMessages
    | And
    | Or
    | Not
    | Fuzzy
    | FlagKey
    | RecentKey
    | KeywordKey
    | NumberKey
    | UidKey
    | BoundKey
    | DateKey
    | AgeKey
    | SizeKey
    | HeaderKey
    | BodyKey
    | TextKey
    | AnnotationKey
    | ModseqKey
    | EmailKey
    | ThreadKey
)


def has_key(key: SearchKey, kind: type[Any]) -> bool:
    """Whether a key of this kind stands anywhere in `key`."""
    return any(isinstance(found, kind) for found in all_keys(key))


def all_keys(key: SearchKey) -> Iterator[SearchKey]:
    """Yield a key and those within it; the depth of a SEARCH bounds the recursion."""
    yield key
    match key:
        case And(keys=parts):
            for part in parts:
                yield from all_keys(part)
        case Or(first=first, second=second):
            yield from all_keys(first)
            yield from all_keys(second)
        case Not(key=inner) | Fuzzy(key=inner):
            yield from all_keys(inner)
        case _:
            pass
