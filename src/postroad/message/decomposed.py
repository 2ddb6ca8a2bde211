"""Text taken apart into letters and marks, in time that grows with its length (UAX #15)."""

from typing import Final
from unicodedata import combining, normalize

_PIECE: Final = 256
"""Characters taken apart at a time. The marks behind one letter are put in order by insertion, which costs
the square of their number: 32,000 of them take two seconds, in which nothing else runs."""
_MARKS: Final = 32
"""Marks kept together with their letter: no writing needs more than 30 (UAX #15, Stream-Safe Text)."""


def decomposed(text: str) -> str:
    """Return text in NFKD; where a letter has more marks than any writing needs, not all are put in order."""
    if len(text) <= _PIECE:
        return normalize("NFKD", text)
    pieces = []
    start = 0
    while start < len(text):
        end = _letter(text, start + _PIECE)
        pieces.append(normalize("NFKD", text[start:end]))
        start = end
    return "".join(pieces)


def _letter(text: str, at: int) -> int:
    """Where the letter stands that the mark at `at` belongs to; `at` where it has none near by."""
    for letter in range(at, at - _MARKS, -1):
        # A few vowel signs are no marks and yet are taken apart into two of them.
        if letter >= len(text) or not combining(normalize("NFKD", text[letter])[0]):
            return letter
    return at
