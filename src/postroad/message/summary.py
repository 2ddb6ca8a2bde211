"""What is worked out once, when a message is filed, so that nobody has to parse it again."""

from functools import lru_cache
from typing import Final

from msgspec import Struct

from postroad.message.address_list import first_mailbox, parse_addresses
from postroad.message.date import seconds_of_date
from postroad.message.encoded_word import decode_header
from postroad.message.header import HeaderBlock
from postroad.message.message_id import find_ancestors, find_references, parse_message_id
from postroad.message.octets import Octets
from postroad.message.part import pack_tree, parse_parts
from postroad.message.preview import render_preview
from postroad.message.structure import ENVELOPE_FIELDS, envelope_fields, envelope_of_fields, render_structure
from postroad.message.subject import base_subject

MAX_SUBJECT = 1_000
_FIELDS: Final = ENVELOPE_FIELDS | {b"references"}
# Up to so many octets a From is remembered with the address in it: mail comes from few.
_USUAL: Final = 200
_REMEMBERED: Final = 1024


class Title(Struct, frozen=True):
    """What people call a message: its Message-ID without angle brackets, its subject decoded and cut."""

    message_id: str
    subject: str


class Summary(Title, frozen=True):
    """What clients ask for again and again about one message.

    `envelope`, `body` and `bodystructure` are ready to be sent by IMAP; `tree`
    is for `unpack_tree`. `references` are without angle brackets; `ancestors` are
    those that THREAD goes by. `sent` is the Date in seconds since 1970.
    `header_end` is where the body starts.
    """

    envelope: bytes
    body: bytes
    bodystructure: bytes
    tree: bytes
    preview: str
    references: tuple[str, ...]
    ancestors: tuple[str, ...]
    base_subject: str
    sender: str
    sent: int | None
    header_end: int


def title_of(data: Octets) -> Title:
    """Read no more of a whole message than its title."""
    first = HeaderBlock.parse(data).first
    return Title(parse_message_id(first(b"message-id") or b""), _subject(first(b"subject") or b""))


def summarize(data: Octets) -> Summary:
    """Work out the summary of a whole message; it never raises, whatever the message is."""
    block = HeaderBlock.parse(data)
    root = parse_parts(data, block)
    body, bodystructure = render_structure(data, root)
    fields = envelope_fields(block, _FIELDS)
    first = fields.get
    author, date = first(b"from", b""), first(b"date")
    references, in_reply_to = first(b"references"), first(b"in-reply-to")
    subject = _subject(first(b"subject", b""))
    return Summary(
        message_id=parse_message_id(first(b"message-id", b"")),
        subject=subject,
        envelope=envelope_of_fields(fields),
        body=body,
        bodystructure=bodystructure,
        tree=pack_tree(root),
        preview=render_preview(data, root),
        references=find_references(references, in_reply_to),
        ancestors=find_ancestors(references, in_reply_to),
        base_subject=base_subject(subject),
        sender=_usual_sender(author) if len(author) <= _USUAL else _sender(author),
        sent=seconds_of_date(date) if date is not None else None,
        header_end=block.body_start,
    )


def _sender(author: bytes) -> str:
    sender = first_mailbox(parse_addresses(author))
    return sender.address if sender is not None else ""


_usual_sender: Final = lru_cache(_REMEMBERED)(_sender)


def _subject(value: bytes) -> str:
    return decode_header(value)[:MAX_SUBJECT]
