"""Addresses in an ENVELOPE as it was rendered (RFC 3501 §7.4.2; `structure.render_envelope`)."""

import re
from typing import Final, NamedTuple

from postroad.message.charset import decode_text
from postroad.message.encoded_word import decode_header

_STRING: Final = rb'(?:NIL|"(?:[^"\\]++|\\.)*+")'
_ADDRESS: Final = rb"\((?:%b %b %b %b)\)" % (_STRING, _STRING, _STRING, _STRING)
_LIST: Final = rb"(?:NIL|\((?:%b)+\))" % _ADDRESS
_FIRST: Final = rb"(?:NIL|\((%b)(?:%b)*+\))" % (_ADDRESS, _ADDRESS)
# date, subject, from, sender, reply-to, to, cc
_ENVELOPE: Final = re.compile(
    rb"\(%b %b %b %b %b %b %b " % (_STRING, _STRING, _FIRST, _LIST, _LIST, _FIRST, _FIRST), re.DOTALL
)
_PARTS: Final = re.compile(rb'NIL|"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_LITERAL: Final = re.compile(rb"\{([0-9]++)\}\r\n")
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_SPECIAL: Final = re.compile(rb"([\"\\])")


class EnvelopeAddress(NamedTuple):
    """An address; None for NIL."""

    name: bytes | None
    mailbox: bytes | None
    host: bytes | None

    def local_part(self) -> str:
        """What SORT compares of it (RFC 5256 §3)."""
        return decode_text(self.mailbox or b"")

    def display(self) -> str:
        """What SORT=DISPLAY compares of it (RFC 5957 §3)."""
        name = decode_header(self.name) if self.name else ""
        if name or not self.mailbox:
            return name
        return decode_text(self.mailbox if self.host is None else self.mailbox + b"@" + self.host)


class FirstAddresses(NamedTuple):
    """The first address of each list; None where the list is NIL."""

    from_: EnvelopeAddress | None
    to: EnvelopeAddress | None
    cc: EnvelopeAddress | None


def first_addresses(envelope: bytes) -> FirstAddresses:
    """Read the first From, To and Cc of a rendered envelope."""
    if b"}\r\n" in envelope:
        envelope = _without_literals(envelope)
    match = _ENVELOPE.match(envelope)
    return FirstAddresses(*map(_address, match.groups())) if match is not None else _NOBODY


_NOBODY: Final = FirstAddresses(None, None, None)


def _address(written: bytes | None) -> EnvelopeAddress | None:
    if written is None:
        return None
    parts = [
        None if match[1] is None else _ESCAPED.sub(rb"\1", match[1]) if b"\\" in match[1] else match[1]
        for match in _PARTS.finditer(written)
    ]
    return EnvelopeAddress(parts[0], parts[2], parts[3])


def _without_literals(envelope: bytes) -> bytes:
    """Write literals as quoted strings; a line break stands in no other place."""
    pieces: list[bytes] = []
    at = 0
    while (match := _LITERAL.search(envelope, at)) is not None:
        end = match.end() + int(match[1])
        pieces += [
            envelope[at : match.start()],
            b'"',
            _SPECIAL.sub(rb"\\\1", envelope[match.end() : end]),
            b'"',
        ]
        at = end
    pieces.append(envelope[at:])
    return b"".join(pieces)
