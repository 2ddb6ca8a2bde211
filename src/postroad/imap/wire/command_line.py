"""The beginning of a command: its tag and its name (RFC 3501 §2.2.1)."""

import re
from typing import Final

from msgspec import Struct

from postroad.imap.wire.command import Command
from postroad.imap.wire.table import RULES, Parser, State, wrong_state

# RFC 3501 §9 tag; the bound is ours, since a tag is the one thing that is echoed.
_TAG_CHARS: Final = rb'[^\x00-\x20(){%*"\\+\x7f-\xff]{1,256}+'
_COMMAND: Final = re.compile(rb"(" + _TAG_CHARS + rb") (UID [A-Z]++|(?!UID )[A-Z]++)(?![^ ])", re.IGNORECASE)
_TAG: Final = re.compile(rb"(" + _TAG_CHARS + rb")(?![^ ])")
# No name of an IMAP command holds a slash, a colon or an asterisk; every target of HTTP does.
_HTTP: Final = re.compile(rb"(?:CONNECT|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PRI|PUT|TRACE) ++[^ /:*]*+[/:*]")


class Found(Struct, frozen=True):
    """A command that there is and that may come now."""

    tag: bytes
    parse: Parser
    at: int
    """Where its arguments begin."""
    streams: bool
    """It brings messages, and is read in stretches."""
    bare: type[Command] | None
    """What it is, if nothing may follow: then it need not be parsed."""


class Unfit(Struct, frozen=True):
    """A line that begins no command, or one that must not come now."""

    tag: bytes
    """`*` where there is none."""
    why: bytes


def find_command(line: bytes, state: State, withheld: frozenset[str] = frozenset()) -> Found | Unfit:
    """Read tag and name, and look the command up; those of capabilities that are `withheld` are unknown."""
    match = _COMMAND.match(line)
    rule = RULES.get(match[2].upper()) if match is not None else None
    if match is None or rule is None or (withheld and rule.capability in withheld):
        tag = find_tag(line)
        return Unfit(tag, b"a command starts with a tag" if tag == b"*" else b"there is no such command")
    if state not in rule.states:
        return Unfit(match[1], wrong_state(state, rule))
    return Found(match[1], rule.parse, match.end(), rule.streams, rule.bare)


def find_tag(line: bytes) -> bytes:
    """Return the tag that a line begins with, or `*` (RFC 3501 §7.1.3)."""
    match = _TAG.match(line)
    return match[1] if match is not None else b"*"


def is_http(line: bytes) -> bool:
    """Tell whether a browser was talked into sending this (SAFETY: ALPACA)."""
    return _HTTP.match(line) is not None
