"""Text as SEARCH compares it: without case, characters taken apart (RFC 5051 i;unicode-casemap)."""

import unicodedata
from typing import Final

_WINDOW: Final = 64 * 1024
"""Characters folded at a time: taken apart, one may become eighteen."""
_MARKS: Final = 32
"""Characters more that two windows share: a mark belongs to what stands before it."""


def fold(text: str) -> str:
    """Return text as it is compared."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKD", text.casefold())


def folded_in(wanted: str, text: str) -> bool:
    """Tell whether text has `wanted`, which is folded, in memory that does not grow with the text."""
    if text.isascii():
        return wanted in text.lower()
    # No character folds to nothing, so what is found lies within as many characters as it has.
    shared = len(wanted) + _MARKS
    return any(
        wanted in fold(text[start : start + _WINDOW + shared]) for start in range(0, len(text), _WINDOW)
    )
