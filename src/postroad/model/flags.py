"""Message flags: five system flags in a bit mask, keywords by name (RFC 3501 §2.3.2).

`\\Recent` is not here: it belongs to a session, not to a message.
"""

from enum import IntFlag
from typing import Final


class Flag(IntFlag):
    """The system flags that are kept with an entry, in the order they are shown."""

    ANSWERED = 1
    FLAGGED = 2
    DELETED = 4
    SEEN = 8
    DRAFT = 16


NO_FLAGS: Final = Flag(0)

# For masks by the thousand: arithmetic with a member of an enum takes ten times as long.
SEEN: Final = int(Flag.SEEN)
DELETED: Final = int(Flag.DELETED)

NAMES: Final[dict[Flag, bytes]] = {
    Flag.ANSWERED: b"\\Answered",
    Flag.FLAGGED: b"\\Flagged",
    Flag.DELETED: b"\\Deleted",
    Flag.SEEN: b"\\Seen",
    Flag.DRAFT: b"\\Draft",
}

BY_NAME: Final[dict[bytes, Flag]] = {name.lower(): flag for flag, name in NAMES.items()}

# All 32 masks as ready text, so that a flag list is one look-up and one join.
SYSTEM_TEXT: Final[tuple[bytes, ...]] = tuple(
    b" ".join(name for flag, name in NAMES.items() if mask & flag) for mask in range(32)
)


def render(mask: int, keywords: str) -> bytes:
    """Return the inside of a FLAGS list: `\\Seen $Forwarded`.

    `keywords` is the stored form: names sorted and joined by single spaces.
    """
    system = SYSTEM_TEXT[mask]
    if not keywords:
        return system
    return system + b" " + keywords.encode() if system else keywords.encode()


def join_keywords(names: set[str] | frozenset[str]) -> str:
    """Return the stored form of a set of keywords."""
    return " ".join(sorted(names, key=str.lower)) if names else ""


def split_keywords(stored: str) -> frozenset[str]:
    """Return the set of keywords of a stored form."""
    return frozenset(stored.split(" ")) if stored else frozenset()
