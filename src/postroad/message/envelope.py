"""Addresses in an ENVELOPE as it was rendered (RFC 3501 §7.4.2; `structure.render_envelope`)."""

import re
from enum import Enum
from functools import cache
from typing import Final, NamedTuple

from postroad.message.charset import decode_text
from postroad.message.encoded_word import decode_header

STRING: Final = rb'(?:NIL|"[^"\\]*+(?:\\.[^"\\]*+)*")'
"""A string or NIL, as a pattern; literals are none (`without_literals`)."""
TAKEN: Final = STRING.replace(rb"(?:", rb"(", 1)
"""The same as a group."""
LIST: Final = rb"(?:NIL|\((?:\(%b %b %b %b\))+\))" % (STRING, STRING, STRING, STRING)
"""A list of addresses, or NIL."""
_FIRST: Final = rb"\(\(%b %b %b %b\)" % (TAKEN, STRING, TAKEN, TAKEN)
_LITERAL: Final = re.compile(rb"\{([0-9]++)\}\r\n")
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_SPECIAL: Final = re.compile(rb"([\"\\])")


class AddressList(Enum):
    """A list of an envelope; the value is how many lists stand before it."""

    FROM = 0
    TO = 3
    CC = 4


@cache  # not at the import: nobody may ever sort, and the three take 10 ms to compile
def _pattern(which: AddressList) -> re.Pattern[bytes]:
    before = (LIST + b" ") * which.value
    return re.compile(rb"\(%b %b %b%b" % (STRING, STRING, before, _FIRST), re.DOTALL)


class EnvelopeAddress(NamedTuple):
    """An address; None for NIL."""

    name: bytes | None
    mailbox: bytes | None
    host: bytes | None

    def local_part(self) -> str:
        """What SORT compares of it (RFC 5256 §3)."""
        return decode_text(self.mailbox) if self.mailbox else ""

    def display(self) -> str:
        """What SORT=DISPLAY compares of it (RFC 5957 §3)."""
        name = decode_header(self.name) if self.name else ""
        if name or not self.mailbox:
            return name
        return decode_text(self.mailbox if self.host is None else self.mailbox + b"@" + self.host)


def first_address(envelope: bytes, which: AddressList) -> EnvelopeAddress | None:
    """Read the first address of a list of a rendered envelope; None where the list is NIL."""
    if b"}\r\n" in envelope:
        envelope = without_literals(envelope)
    match = _pattern(which).match(envelope)
    return EnvelopeAddress(*map(unquoted, match.groups())) if match is not None else None


def unquoted(written: bytes) -> bytes | None:
    """Return what a quoted string says; None for NIL."""
    if not written.startswith(b'"'):
        return None
    text = written[1:-1]
    return _ESCAPED.sub(rb"\1", text) if b"\\" in text else text


def without_literals(envelope: bytes) -> bytes:
    """Write literals as quoted strings; a line break stands in no other place."""
    pieces: list[bytes] = []
    at = 0
    while (match := _LITERAL.search(envelope, at)) is not None:
        end = match.end() + int(match[1])
        quoted = _SPECIAL.sub(rb"\\\1", envelope[match.end() : end])
        pieces += [envelope[at : match.start()], b'"', quoted, b'"']
        at = end
    pieces.append(envelope[at:])
    return b"".join(pieces)
