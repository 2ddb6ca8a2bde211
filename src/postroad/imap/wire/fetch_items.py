"""What FETCH gives, item by item (RFC 3501 §6.4.5)."""

from enum import Enum
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from postroad.imap.wire.annotation import FetchAnnotation

SectionText: TypeAlias = Literal["", "HEADER", "TEXT", "MIME"]


class FetchAttribute(Enum):
    """Items that are a name and nothing else; the value is that name in the response."""

    __hash__ = object.__hash__  # by identity, in C: Enum's own is a Python function

    ENVELOPE = b"ENVELOPE"
    FLAGS = b"FLAGS"
    INTERNALDATE = b"INTERNALDATE"
    SIZE = b"RFC822.SIZE"
    BODY = b"BODY"
    BODYSTRUCTURE = b"BODYSTRUCTURE"
    UID = b"UID"
    MODSEQ = b"MODSEQ"
    EMAILID = b"EMAILID"
    """RFC 8474 §5.3."""
    THREADID = b"THREADID"
    SAVEDATE = b"SAVEDATE"
    """RFC 8514 §4.2."""
    PREVIEW = b"PREVIEW"
    """RFC 8970 §3; LAZY makes no difference, for previews are made when mail comes."""


class SectionForm(Enum):
    """How a section is given; the value is what its item is called."""

    STORED = b"BODY"
    DECODED = b"BINARY"
    """Out of its transfer encoding (RFC 3516 §4.2)."""
    DECODED_SIZE = b"BINARY.SIZE"


class FetchSection(Struct, frozen=True):
    """BODY[…], BINARY[…], both with .PEEK, BINARY.SIZE[…], RFC822, RFC822.HEADER and RFC822.TEXT.

    `path` and `text` are what `postroad.message.section.locate` takes.
    """

    label: bytes
    """What the response calls it, `BODY[1.MIME]` or `RFC822`, with `<origin>` where partial."""
    path: tuple[int, ...] = ()
    text: SectionText = ""
    fields: tuple[bytes, ...] = ()
    """Names of HEADER.FIELDS and HEADER.FIELDS.NOT; `text` is HEADER then."""
    fields_not: bool = False
    """HEADER.FIELDS.NOT: every field but these."""
    peek: bool = False
    """Does not set \\Seen."""
    partial: tuple[int, int] | None = None
    """(first octet, how many at most)."""
    form: SectionForm = SectionForm.STORED


FetchItem: TypeAlias = FetchAttribute | FetchAnnotation | FetchSection

FAST: Final[tuple[FetchItem, ...]] = (
    FetchAttribute.FLAGS,
    FetchAttribute.INTERNALDATE,
    FetchAttribute.SIZE,
)
ALL: Final[tuple[FetchItem, ...]] = (*FAST, FetchAttribute.ENVELOPE)
FULL: Final[tuple[FetchItem, ...]] = (*ALL, FetchAttribute.BODY)
