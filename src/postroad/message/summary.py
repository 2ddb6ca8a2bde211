"""What is worked out once, when a message is filed, so that nobody has to parse it again."""

from functools import lru_cache
from typing import Final

from msgspec import Struct

from postroad.message.address_list import first_mailbox, parse_addresses
from postroad.message.date import parse_date
from postroad.message.encoded_word import decode_header
from postroad.message.header import HeaderBlock
from postroad.message.message_id import find_ancestors, find_references, parse_message_id
from postroad.message.octets import Octets
from postroad.message.part import pack_tree, parse_parts
from postroad.message.preview import render_preview
from postroad.message.structure import ENVELOPE_FIELDS, render_envelope, render_structure
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
    return _title(HeaderBlock.parse(data))


def summarize(data: Octets) -> Summary:
    """Work out the summary of a whole message; it never raises, whatever the message is."""
    block = HeaderBlock.parse(data)
    root = parse_parts(data, block)
    body, bodystructure = render_structure(data, root)
    first = block.firsts(_FIELDS).get
    title = _title(block)
    author = first(b"from", b"")
    date = first(b"date")
    sent = parse_date(date) if date is not None else None
    return Summary(
        message_id=title.message_id,
        subject=title.subject,
        envelope=render_envelope(block),
        body=body,
        bodystructure=bodystructure,
        tree=pack_tree(root),
        preview=render_preview(data, root),
        references=find_references(first(b"references"), first(b"in-reply-to")),
        ancestors=find_ancestors(first(b"references"), first(b"in-reply-to")),
        base_subject=base_subject(title.subject),
        sender=_usual_sender(author) if len(author) <= _USUAL else _sender(author),
        sent=int(sent.timestamp()) if sent is not None else None,
        header_end=block.body_start,
    )


def _sender(author: bytes) -> str:
    sender = first_mailbox(parse_addresses(author))
    return sender.address if sender is not None else ""


_usual_sender: Final = lru_cache(_REMEMBERED)(_sender)


def _title(block: HeaderBlock) -> Title:
    return Title(
        parse_message_id(block.first(b"message-id") or b""),
        decode_header(block.first(b"subject") or b"")[:MAX_SUBJECT],
    )
