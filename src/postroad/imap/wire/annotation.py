"""Annotations of messages as FETCH names them, and the names of their entries (RFC 5257 §3.2, §4.3)."""

import re
from typing import Final, NamedTuple

from msgspec import Struct

# No empty component, no wildcard, nothing that is not ASCII, no NUL (§3.2).
_ENTRY: Final = re.compile(rb"(?:/[^\x00*%/\x7f-\xff]++)+")
_MATCH: Final = re.compile(rb"[/*%][^\x00\x7f-\xff]*+")
_SECTION: Final = re.compile(rb"[1-9][0-9]{0,9}+(?:\.[1-9][0-9]{0,9}+)*")
NAME_LENGTH: Final = 255
"""Octets of the name of an entry, or of what stands for several."""


class Attribute(NamedTuple):
    """One of those that an entry has."""

    name: bytes
    """`value` or `size`."""
    private: bool


class FetchAnnotation(Struct, frozen=True):
    """ANNOTATION as an item of FETCH (§4.3)."""

    entries: tuple[str, ...]
    """Names, and patterns with `*` and `%`."""
    attributes: tuple[Attribute, ...]


def is_entry(name: bytes) -> bool:
    """Whether an entry may be called so; what begins with a digit is about a part (§3.2.1)."""
    if len(name) > NAME_LENGTH or not _ENTRY.fullmatch(name):
        return False
    first = name[1:].partition(b"/")[0]
    return not first[:1].isdigit() or _SECTION.fullmatch(first) is not None


def is_match(name: bytes) -> bool:
    """Whether it can stand for entries: a name, or one with wildcards in it (§5 entry-match)."""
    if not has_wildcards(name):
        return is_entry(name)
    return len(name) <= NAME_LENGTH and b"//" not in name and _MATCH.fullmatch(name) is not None


def has_wildcards(name: bytes) -> bool:
    """Whether `*` or `%` stands in it."""
    return b"*" in name or b"%" in name


def is_storable(name: bytes) -> bool:
    """Whether an entry may have values: not those that only stand above others, nor what is reserved.

    §3.2.1: /flags is for the future, a vendor has a token, a part has
    comments, flags and vendors.
    """
    levels = name[1:].split(b"/")
    if levels[0][:1].isdigit():
        return len(levels) > 1 and (levels[1] not in (b"flags", b"vendor") or len(levels) > 2)
    return levels[0] != b"flags" and (levels[0] != b"vendor" or len(levels) > 1)


def is_flag(name: bytes) -> bool:
    """Whether the values of an entry are "1" and "0" alone (§3.2.1 /<section-part>/flags)."""
    levels = name[1:].split(b"/")
    return levels[0][:1].isdigit() and levels[1:2] == [b"flags"]
