"""How long a question may take: less for as long as nothing is answered at all.

Mail is judged by what the DNS says. While it is down, each message would
otherwise wait for as long as one slow domain is given.
"""

from typing import Final

SILENT: Final = 3
"""Questions in a row without an answer, after which it is not one slow domain."""
SHORT: Final = 0.5
"""Seconds from then on, until something is answered: a resolver close by takes a tenth of that."""


class Patience:
    """What one resolver has answered lately."""

    __slots__ = ("_longest", "_unanswered")

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self._unanswered = 0

    def seconds(self) -> float:
        """For a question that is asked now."""
        return min(self._longest, SHORT) if self._unanswered >= SILENT else self._longest

    def answered(self) -> None:
        """Something came, be it a refusal."""
        self._unanswered = 0

    def silent(self) -> None:
        """A question was given up."""
        self._unanswered += 1
