"""Patterns of LIST and LSUB: `*` and `%` (RFC 3501 §6.3.8).

A regular expression with many wildcards takes time without bound on a name
made for it; walking all matching places at once takes pattern times name.
"""

import re
from collections.abc import Callable
from typing import Final

SEPARATOR: Final = "/"
WILDCARDS: Final = 32
"""Wildcards of all patterns of a command; more than any name has levels."""

_INBOX: Final = "INBOX"
_ABOVE: Final = _INBOX + SEPARATOR
_TOKEN: Final = re.compile(r"[*%]+|[^*%]+")


class Pattern:
    """One pattern, with its reference in front."""

    __slots__ = ("_tokens", "wildcards")

    def __init__(self, reference: str, text: str) -> None:
        # A run of wildcards with a "*" in it is one "*", any other run one "%".
        self._tokens = [
            ("*" if "*" in token else "%") if token[0] in "*%" else token
            for token in _TOKEN.findall(reference + text)
        ]
        self.wildcards = sum(token in ("*", "%") for token in self._tokens)

    @property
    def ends_with_percent(self) -> bool:
        """Whether LSUB has to show the levels above what is subscribed (RFC 3501 §6.3.9)."""
        return self._tokens[-1:] == ["%"]

    def matches(self, name: str) -> bool:
        """Whether the pattern stands for the name; INBOX, alone or above others, is so in any case (§5.1)."""
        if self._walk(name, str.startswith):
            return True
        return name[: len(_ABOVE)] in (_INBOX, _ABOVE) and self._walk(name, _stands_below_inbox)

    def _walk(self, name: str, stands: Callable[[str, str, int], bool]) -> bool:
        places = {0}
        for token in self._tokens:
            if token == "*":  # noqa: S105 - a wildcard, not a secret
                places = set(range(min(places), len(name) + 1))
            elif token == "%":  # noqa: S105 - likewise
                places = _within_level(name, places)
            else:
                places = {at + len(token) for at in places if stands(name, token, at)}
            if not places:
                return False
        return len(name) in places


def _stands_below_inbox(name: str, token: str, at: int) -> bool:
    """Whether the token is what the name has there, the letters of the INBOX at its start in any case."""
    there = name[at : at + len(token)]
    free = max(0, len(_INBOX) - at)
    return there[:free].lower() == token[:free].lower() and there[free:] == token[free:]


def _within_level(name: str, places: set[int]) -> set[int]:
    reached: set[int] = set()
    for at in sorted(places):
        if at in reached:
            continue  # from there on the same level has been walked
        end = name.find(SEPARATOR, at)
        reached.update(range(at, (len(name) if end < 0 else end) + 1))
    return reached
