"""The grammar of LANGUAGE and COMPARATOR (RFC 5255 §3.5, §4.10)."""

import re
from typing import Final

from postroad.imap.wire.reader import BadSyntax, Reader
from postroad.imap.wire.session_commands import Comparator, Language

_RANGE: Final = re.compile(rb"\*|[A-Za-z]{1,8}(?:-(?:[A-Za-z0-9]{1,8}|\*))*")
"""RFC 4647 §2."""
_ORDER: Final = re.compile(rb"[+-]?(?:\*|[A-Za-z]\*?)(?:[A-Za-z0-9;=.-]\*?)*")
"""RFC 4790 §3.2, §3.3."""


def parse_language(tag: bytes, reader: Reader) -> Language:
    """Read the arguments of LANGUAGE."""
    return Language(tag, _words(reader, _RANGE, b"that is no range of languages"))


def parse_comparator(tag: bytes, reader: Reader) -> Comparator:
    """Read the arguments of COMPARATOR."""
    return Comparator(tag, _words(reader, _ORDER, b"that is no collation"))


def _words(reader: Reader, form: re.Pattern[bytes], what: bytes) -> tuple[str, ...]:
    words: list[str] = []
    while reader.at != len(reader.data):
        reader.space()
        # The grammar says astring, and has wildcards in these (RFC 5255 §4.7: "cz;*" in quotes).
        word = reader.pattern()
        if not form.fullmatch(word):
            raise BadSyntax(what)
        words.append(word.decode("ascii").lower())
    return tuple(words)
