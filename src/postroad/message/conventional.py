"""Envelopes and structures for conventional clients, who know ASCII alone (RFC 6855 §8, RFC 6858 §2).

What a rendered ENVELOPE, BODY or BODYSTRUCTURE says in UTF-8 is said in ASCII:
text as encoded words, domains as A-labels, parameters in their extended form.
An address that has no form in ASCII leads nowhere, and its name says whose it is.
Octets that are no UTF-8 stay: who knows their charset reads them as ever.
"""

import re
from typing import Final
from urllib.parse import quote_from_bytes

from msgspec.structs import replace

from postroad.message.charset import is_utf8, without_8bit
from postroad.message.content_type import Disposition, Parameters
from postroad.message.encoded_word import decode_header, encode_words
from postroad.message.envelope import LIST, TAKEN, unquoted, without_literals
from postroad.message.header import HeaderBlock
from postroad.message.octets import Octets
from postroad.message.part import Part
from postroad.message.structure import render_envelope, render_nstring, render_structure
from postroad.model.address import AddressError, normal_domain

_NOBODY: Final = (b"invalid", b"internationalized-address.invalid")
"""An address that nobody has (RFC 2606 §2, RFC 6858 §2.1)."""
_MAX_TEXT: Final = 1000
"""Octets of a text up to which it becomes encoded words; what is longer was written for no reader."""
_MAX_DOMAINS: Final = 20
"""Domains that are converted in one envelope: each costs a hundred microseconds."""
_ENVELOPE: Final = re.compile(rb"\(%b %b (%b(?: %b){5}) %b %b\)" % (TAKEN, TAKEN, LIST, LIST, TAKEN, TAKEN))
_ADDRESS: Final = re.compile(rb"\(%b %b %b %b\)" % (TAKEN, TAKEN, TAKEN, TAKEN), re.DOTALL)


def conventional_envelope(envelope: bytes) -> bytes:
    """Return an ENVELOPE as it was rendered, without UTF-8 in it."""
    match = _ENVELOPE.fullmatch(without_literals(envelope))
    if match is None:
        return envelope
    date, subject, addresses, in_reply_to, message_id = match.groups()
    return b"(%b %b %b %b %b)" % (
        render_nstring(_or_nothing(unquoted(date))),
        render_nstring(_text(unquoted(subject))),
        _ADDRESS.sub(_Addresses(), addresses),
        render_nstring(_or_nothing(unquoted(in_reply_to))),
        render_nstring(_or_nothing(unquoted(message_id))),
    )


def structure_for(data: Octets, root: Part, *, international: bool) -> tuple[bytes, bytes]:
    """Write BODY and BODYSTRUCTURE for clients that know UTF-8, the `international` ones, or without it."""
    if international:
        return render_structure(data, root, international=True)
    return render_structure(data, _part(root), envelope_of=_envelope_of)


def _envelope_of(block: HeaderBlock) -> bytes:
    envelope = render_envelope(block)
    return envelope if envelope.isascii() else conventional_envelope(envelope)


class _Addresses:
    """Writes the addresses of one envelope."""

    __slots__ = ("_domains",)

    def __init__(self) -> None:
        self._domains = _MAX_DOMAINS

    def __call__(self, match: re.Match[bytes]) -> bytes:
        if match[0].isascii():
            return b"(%b %b %b %b)" % match.groups()
        name, route, local, host = map(unquoted, match.groups())
        if host is None:
            local = _text(local)  # the name of a group
        elif local is not None:
            whose = local + b"@" + host
            if _is_strange(host):
                host = self._domain(host)
            if host is None or _is_strange(local):
                name, (local, host) = name or whose, _NOBODY
        written = map(render_nstring, (_text(name), _or_nothing(route), local, host))
        return b"(%b %b %b %b)" % tuple(written)

    def _domain(self, host: bytes) -> bytes | None:
        """A domain in A-labels; None where it has no such form, or more were asked for than anybody reads."""
        self._domains -= 1
        if self._domains < 0:
            return None
        try:
            return normal_domain(host.decode()).encode()
        except AddressError:
            return None


def _part(part: Part) -> Part:
    """A part, and what is in it, with fields in ASCII; their depth is bounded (`part`)."""
    disposition = part.disposition
    if disposition is not None:
        disposition = Disposition(disposition.kind, _parameters(disposition.params))
    return replace(
        part,
        params=_parameters(part.params),
        children=tuple(map(_part, part.children)),
        id=_or_nothing(part.id),
        description=_text(part.description),
        md5=_or_nothing(part.md5),
        disposition=disposition,
        language=tuple([tag for tag in part.language if not _is_strange(tag)]),
        location=_or_nothing(part.location),
    )


def _parameters(params: Parameters) -> Parameters:
    """Parameters of which those in UTF-8 are extended ones (RFC 2231 §4)."""
    return tuple(
        [
            (name + b"*", b"utf-8''" + quote_from_bytes(value, safe="").encode())
            if _is_strange(value)
            else (name, value)
            for name, value in params
            if not _is_strange(name)
        ]
    )


def _text(value: bytes | None) -> bytes | None:
    if value is None or not _is_strange(value):
        return value
    if len(value) > _MAX_TEXT:
        return without_8bit(value)
    return encode_words(decode_header(value))


def _or_nothing(value: bytes | None) -> bytes | None:
    """What stands in a field that has no other form: RFC 6858 §2.4 leaves it out."""
    return None if value is not None and _is_strange(value) else value


def _is_strange(value: bytes) -> bool:
    """Whether it is UTF-8 and not ASCII."""
    return not value.isascii() and is_utf8(value)
