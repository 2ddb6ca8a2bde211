"""How like a text is to what somebody looks for, as a person would say (RFC 6203 §3).

Case, marks and the order of words do not matter; a word may be the beginning
or a part of another one, or have one letter wrong. Half of the words have to
be there in some way.
"""

import re
from collections.abc import Iterable
from typing import Final
from unicodedata import combining

from postroad.message.decomposed import decomposed

LOOKED_AT: Final = 256 * 1024
"""Characters of a text that are looked at: behind them a person has stopped reading."""
_MOST_WORDS: Final = 20
_WORD: Final = re.compile(r"\w+")
_MARKED: Final = re.compile(r"[^\x00-\u02ff]")
_MISSPELT_FROM: Final = 4
"""Letters from which a word may have one wrong: of shorter ones half would be another word."""

_WHOLE, _BEGINNING, _PART, _MISSPELT = 1.0, 0.8, 0.7, 0.5


def loosened(text: str) -> str:
    """Return text without case and marks; one white space is like another."""
    plain = text[:LOOKED_AT].casefold()
    if not plain.isascii():
        plain = decomposed(plain)[:LOOKED_AT]  # a single letter may become eighteen
        plain = _MARKED.sub(lambda mark: "" if combining(mark[0]) else mark[0], plain)
    return " ".join(plain.split())


class Likeness:
    """What is looked for."""

    def __init__(self, wanted: str) -> None:
        self._phrase = loosened(wanted)
        self._words = list(dict.fromkeys(_WORD.findall(self._phrase)))[:_MOST_WORDS]

    def score(self, texts: Iterable[str]) -> int:
        """Return 1 to 100, 100 where one of the texts has the very phrase, or 0 for no likeness."""
        best = dict.fromkeys(self._words, 0.0)
        for text in texts:
            loose = loosened(text)
            if self._phrase in loose:
                return 100
            words = set(_WORD.findall(loose))
            for word, known in best.items():
                if known < _WHOLE:
                    best[word] = max(known, _presence(word, words, loose))
        share = sum(best.values()) / len(best) if best else 0.0
        return round(1 + 98 * (share - 0.5) / 0.5) if share >= 0.5 else 0


def _presence(word: str, words: set[str], text: str) -> float:
    if word in words:
        return _WHOLE
    if word in text:
        return _BEGINNING if any(other.startswith(word) for other in words) else _PART
    if len(word) < _MISSPELT_FROM:
        return 0.0
    near = (other for other in words if -1 <= len(other) - len(word) <= 1)
    return _MISSPELT if any(_one_letter_apart(word, other) for other in near) else 0.0


def _one_letter_apart(one: str, other: str) -> bool:
    """One letter more, less or another, or two that have changed places."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
