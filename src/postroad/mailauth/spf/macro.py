"""Macros of SPF records (RFC 7208 §7): text with placeholders, read once and filled in when needed."""

import re
from collections.abc import Sequence
from typing import Final, TypeAlias
from urllib.parse import quote

from msgspec import Struct

MAX_NAME: Final = 253
"""A longer name loses labels from its left end (RFC 7208 §7.3)."""

_PARTS: Final = 99
"""More right-hand parts than any value has."""
_PART: Final = re.compile(
    r"%\{(?P<letter>[A-Za-z])(?P<digits>[0-9]*+)(?P<reverse>[Rr]?)(?P<delimiters>[.\-+,/_=]*+)\}"
    r"|%(?P<escape>[%_-])"
    r"|(?P<literal>[ -$&-~]++)"
)
_ESCAPES: Final = {"%": "%", "_": " ", "-": "%20"}
_LETTERS: Final = frozenset("slodiphv")
_EXPLAINING: Final = frozenset("crt")
"""Letters that are for explanations alone (RFC 7208 §7.2)."""
# LDH with a letter or hyphen in it: no number is a top-level domain.
_TOP_LABEL: Final = re.compile(r"(?=[0-9]*+[A-Za-z-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")


class Macro(Struct, frozen=True):
    """One `%{…}`."""

    letter: str
    parts: int
    """How many right-hand parts are kept; 0: all."""
    reverse: bool
    delimiters: str
    escape: bool
    """An upper-case letter: the value is escaped for a URL."""


MacroString: TypeAlias = tuple[str | Macro, ...]


class MacroError(ValueError):
    """This is no macro string; the message says why."""


def parse_macros(text: str, *, explaining: bool = False) -> MacroString:
    """Read a macro-string; with `explaining` an explain-string, which may hold spaces.

    Raises:
        MacroError: it is none.
    """
    return _parse(text, explaining)[0]


def _parse(text: str, explaining: bool) -> tuple[MacroString, bool]:
    """Give the parts, and whether the last one is literal text."""
    parts: list[str | Macro] = []
    at = 0
    match = None
    while at < len(text):
        match = _PART.match(text, at)
        if match is None or (not explaining and " " in match[0]):
            raise MacroError(f"{text[at : at + 20]!r} is no macro and no printable text")
        at = match.end()
        if match["literal"]:
            parts.append(match["literal"])
        elif match["escape"]:
            parts.append(_ESCAPES[match["escape"]])
        else:
            parts.append(_macro(match, explaining))
    return tuple(parts), match is not None and bool(match["literal"])


def parse_domain_spec(text: str) -> MacroString:
    """Read a domain-spec: a macro-string that ends in a macro or in a top-level domain (RFC 7208 §7.1).

    Raises:
        MacroError: it is none.
    """
    parts, ends_literally = _parse(text, False)
    if not parts:
        raise MacroError("there is no domain")
    if ends_literally:
        _, dot, label = str(parts[-1]).removesuffix(".").rpartition(".")
        if not dot or not _TOP_LABEL.fullmatch(label):
            raise MacroError(f"{text!r} does not end in a top-level domain")
    return parts


def needs(parts: MacroString, letters: str) -> bool:
    """Whether one of these letters has to be known to fill in the text."""
    return any(isinstance(part, Macro) and part.letter in letters for part in parts)


def expand(parts: MacroString, values: dict[str, str]) -> str:
    """Fill in the text; `values` has one for every letter that `parts` uses."""
    return "".join(part if isinstance(part, str) else _value(part, values[part.letter]) for part in parts)


def shortened(name: str) -> str:
    """Take labels from the left of a name until the DNS has room for it."""
    name = name.removesuffix(".")
    if len(name) <= MAX_NAME:
        return name
    tail = name[-MAX_NAME:]
    return tail if name[-MAX_NAME - 1] == "." else tail.partition(".")[2]


def _macro(match: re.Match[str], explaining: bool) -> Macro:
    letter = match["letter"].lower()
    if letter not in _LETTERS and not (explaining and letter in _EXPLAINING):
        raise MacroError(f"there is no macro letter {match['letter']!r} here")
    digits = match["digits"]
    significant = digits.lstrip("0")
    if digits and not significant:
        raise MacroError(f"{match[0]!r} keeps no part at all")
    parts = 0 if not digits else int(significant) if len(significant) < 3 else _PARTS
    return Macro(letter, parts, bool(match["reverse"]), match["delimiters"], match["letter"].isupper())


def _value(macro: Macro, value: str) -> str:
    if macro.parts or macro.reverse or macro.delimiters:
        pieces: Sequence[str] = _split(value, macro.delimiters or ".")
        if macro.reverse:
            pieces = pieces[::-1]
        value = ".".join(pieces[-macro.parts :] if macro.parts else pieces)
    return quote(value, safe="-._~") if macro.escape else value


def _split(value: str, delimiters: str) -> list[str]:
    return re.split(f"[{re.escape(delimiters)}]", value)
