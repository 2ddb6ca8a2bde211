"""Headers in UTF-8 for clients that know ASCII alone: as long, and as much as ASCII has (RFC 6855 §7).

A surrogate that is as long as what it stands for keeps every size and offset
true. An address that cannot be said in ASCII becomes one that leads nowhere,
so that nobody answers to somebody else (RFC 6858 §3).
"""

import re
from typing import Final

from postroad.message.charset import is_utf8, without_8bit

_FIELD: Final = re.compile(rb"[^\n]*+(?:\n[ \t][^\n]*+)*\n?")
_WORD: Final = re.compile(rb'[^\s<>()\[\],;:"]++')
_NOWHERE: Final = b"@x.invalid"
"""RFC 2606 §2."""


def ascii_header(header: bytes) -> bytes:
    """Return a header, or a piece of one, with ASCII for UTF-8; its length stays.

    A field in neither is left as it is: who knows its charset reads it as ever.
    """
    if header.isascii():
        return header
    return _FIELD.sub(lambda field: _ascii_field(field[0]), header)


def _ascii_field(field: bytes) -> bytes:
    if field.isascii() or not is_utf8(field):
        return field
    return without_8bit(_WORD.sub(lambda word: _ascii_word(word[0]), field))


def _ascii_word(word: bytes) -> bytes:
    if b"@" not in word or (word.isascii() and not word.startswith(b"@")):
        return word
    # What begins with @ has a local part in quotes, which may be what is not ASCII.
    if len(word) <= len(_NOWHERE):
        return b"?" * len(word)
    return b"x" * (len(word) - len(_NOWHERE)) + _NOWHERE
