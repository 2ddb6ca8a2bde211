"""Finding text in text of any length, as SEARCH compares it (RFC 5255 §4.6, RFC 5051)."""

from typing import Final

from postroad.message.collation import collated

_WINDOW: Final = 64 * 1024
"""Characters collated at a time: taken apart, one may become eighteen."""
_MARKS: Final = 32
"""Characters more that two windows share: a mark belongs to what stands before it."""


def stands_in(wanted: str, text: str) -> bool:
    """Tell whether text has `wanted`, which is collated, in memory that does not grow with the text."""
    if text.isascii():
        return wanted in text.upper()
    # No character collates to nothing, so what is found lies within as many characters as it has.
    shared = len(wanted) + _MARKS
    return any(
        wanted in collated(text[start : start + _WINDOW + shared]) for start in range(0, len(text), _WINDOW)
    )
