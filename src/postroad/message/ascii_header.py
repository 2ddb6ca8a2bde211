"""A header in UTF-8 (RFC 6532) written in ASCII, where that loses nothing (RFC 2047, RFC 5890 §2.3.2.1).

Only who writes a message may do so (RFC 6531 §3.2 has nobody do it on the
way): names become encoded words, domains A-labels. A local part beyond ASCII
has no such form.
"""

from collections.abc import Iterator
from typing import Final, NoReturn

from postroad.message.address_list import Mailbox, parse_addresses
from postroad.message.compose import Person, address_field, text_field
from postroad.message.edit import Edit, edited
from postroad.message.header import Field, HeaderBlock
from postroad.message.octets import Octets
from postroad.message.part import parse_parts
from postroad.message.sevenbit import Inconvertible
from postroad.message.text import walk
from postroad.model.address import AddressError, normal_domain

_OF_ADDRESSES: Final = frozenset(
    (
        *(b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc", b"disposition-notification-to"),
        *(b"resent-from", b"resent-sender", b"resent-to", b"resent-cc", b"resent-bcc", b"mail-followup-to"),
    )
)
_STRUCTURED: Final = frozenset(
    (
        *(b"received", b"return-path", b"delivered-to", b"received-spf", b"authentication-results"),
        *(b"message-id", b"in-reply-to", b"references", b"resent-message-id", b"date", b"resent-date"),
        *(b"mime-version", b"content-type", b"content-disposition", b"content-id", b"content-location"),
        *(b"content-transfer-encoding", b"content-language", b"auto-submitted", b"autocrypt"),
        *(b"dkim-signature", b"arc-seal", b"arc-message-signature", b"arc-authentication-results"),
    )
)
"""Fields in which encoded words mean nothing (RFC 2047 §5); all others that are not of addresses are text."""
_LISTS: Final = b"list-"


def ascii_header(data: Octets) -> Iterator[bytes]:
    """Give the message in pieces, with a header in ASCII; its body stays.

    Raises:
        Inconvertible: at once, before there are pieces.
    """
    root = parse_parts(data)
    for part in walk(root):
        if part is not root and not data[part.header_start : part.body_start].isascii():
            _no("the header of a part is in UTF-8")
    block = HeaderBlock.parse(data, root.header_start, root.body_start)
    if block.truncated:
        _no("the header is too large")
    return edited(data, list(_edits(block)))


def _edits(block: HeaderBlock) -> Iterator[Edit]:
    for field in block.fields:
        if not block.raw(field).isascii():
            yield Edit(field.start, field.end, [_written(field, block.value(field))])


def _written(field: Field, value: bytes) -> bytes:
    name = field.name.decode("ascii")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        _no(f"{name} is not in UTF-8")
    if field.name_lower in _OF_ADDRESSES:
        return address_field(name, [_person(name, entry) for entry in parse_addresses(value)])
    if field.name_lower in _STRUCTURED or field.name_lower.startswith(_LISTS):
        _no(f"{name} has UTF-8 where only ASCII can be instead")
    return text_field(name, text)


def _person(name: str, entry: object) -> Person:
    if not isinstance(entry, Mailbox) or not entry.host:
        _no(f"{name} has groups, or addresses that are none")
    if not entry.local.isascii():
        _no(f"{entry.address} has no form in ASCII")
    try:
        domain = normal_domain(entry.host.decode())
    except AddressError:
        _no(f"{entry.address} has no form in ASCII")
    local = entry.address.rpartition("@")[0]
    return Person(f"{local}@{domain}", entry.display_name)


def _no(reason: str) -> NoReturn:
    raise Inconvertible(reason)
