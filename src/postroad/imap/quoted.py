"""Strings and mailbox names in responses (RFC 3501 §4.3, §5.1.3)."""

import re
from typing import Final

from postroad.imap.wire.mailbox_name import encode_utf7

_QUOTABLE: Final = re.compile(rb"[ -~]*+")
_SPECIAL: Final = re.compile(rb'["\\]')


def quoted(octets: bytes) -> bytes:
    """Return a string: quoted where it may be, a literal otherwise."""
    if not _QUOTABLE.fullmatch(octets):
        return b"{%d}\r\n%b" % (len(octets), octets)
    return b'"%b"' % _SPECIAL.sub(rb"\\\g<0>", octets)


def quoted_name(name: str) -> bytes:
    """Return a mailbox name as responses write it."""
    return quoted(encode_utf7(name))
