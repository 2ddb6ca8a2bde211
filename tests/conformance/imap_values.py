"""Responses of IMAP4rev1 as values (RFC 3501 §7)."""

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias


class NotImap(AssertionError):
    """The server sent what the grammar does not have."""


class Address(NamedTuple):
    """One address of an ENVELOPE (RFC 3501 §7.4.2)."""

    name: bytes | None
    adl: bytes | None
    mailbox: bytes | None
    host: bytes | None


Addresses: TypeAlias = "list[Address] | None"


class Envelope(NamedTuple):
    """ENVELOPE."""

    date: bytes | None
    subject: bytes | None
    from_: Addresses
    sender: Addresses
    reply_to: Addresses
    to: Addresses
    cc: Addresses
    bcc: Addresses
    in_reply_to: bytes | None
    message_id: bytes | None


@dataclass
class Body:
    """BODY or BODYSTRUCTURE."""

    type: bytes = b""
    subtype: bytes = b""
    parameters: dict[bytes, bytes] = field(default_factory=dict)
    id: bytes | None = None
    description: bytes | None = None
    encoding: bytes = b""
    octets: int = 0
    lines: int | None = None
    envelope: Envelope | None = None
    inner: "Body | None" = None
    parts: "list[Body]" = field(default_factory=list)
    md5: bytes | None = None
    disposition: tuple[bytes, dict[bytes, bytes]] | None = None
    language: list[bytes] | None = None
    location: bytes | None = None
    extended: bool = False


@dataclass
class Fetched:
    """One FETCH response, or UIDFETCH, whose number is the UID."""

    number: int
    by_uid: bool = False
    modseq: int | None = None
    flags: list[bytes] | None = None
    uid: int | None = None
    size: int | None = None
    internaldate: bytes | None = None
    envelope: Envelope | None = None
    body: Body | None = None
    bodystructure: Body | None = None
    sections: dict[bytes, bytes | None] = field(default_factory=dict)
    binary_sizes: dict[bytes, int] = field(default_factory=dict)
    annotations: dict[bytes, dict[bytes, bytes | None]] = field(default_factory=dict)
    """Values by entry and attribute; of entries that are named alone, none (RFC 5257 §4.4)."""
    order: list[bytes] = field(default_factory=list)


class Numbered(NamedTuple):
    """EXISTS, RECENT or EXPUNGE."""

    number: int
    kind: bytes


class Condition(NamedTuple):
    """OK, NO, BAD, BYE or PREAUTH."""

    status: bytes
    code: bytes
    argument: bytes
    text: bytes


class Listed(NamedTuple):
    """LIST or LSUB."""

    kind: bytes
    attributes: list[bytes]
    delimiter: bytes | None
    name: bytes
    extended: list[object]


class Data(NamedTuple):
    """CAPABILITY, FLAGS, SEARCH, STATUS and all that is a name and some values."""

    kind: bytes
    values: list[object]


Response: TypeAlias = "Fetched | Numbered | Condition | Listed | Data"
