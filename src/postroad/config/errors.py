"""A mistake in the settings: where it is, what it is, what was probably meant."""

import difflib
from collections.abc import Iterable


class ConfigError(Exception):
    """The operator's mistake: file, line and key, and words that help to mend it.

    `more` are further mistakes that were found in the same reading, so that a
    file is mended in one go. `line` is 0 when the mistake is that something is missing.
    """

    def __init__(
        self, file: str, line: int, key: str, message: str, more: Iterable["ConfigError"] = ()
    ) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.key = key
        self.message = message
        self.more = tuple(more)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.key, self.message) if part)

    @property
    def mistakes(self) -> tuple["ConfigError", ...]:
        """This one and all others of the same reading, in the order of the file."""
        return (self, *self.more)


def together(mistakes: list[ConfigError]) -> ConfigError:
    """Make one error of several; there is at least one."""
    first, *rest = sorted(mistakes, key=lambda mistake: mistake.line)
    return ConfigError(first.file, first.line, first.key, first.message, rest)


def nearest(word: str, valid: Iterable[str]) -> str:
    """Return the valid name that `word` most resembles, or nothing."""
    found = difflib.get_close_matches(word.lower().replace("-", "_"), list(valid), n=1, cutoff=0.6)
    return found[0] if found else ""
