"""The commands of METADATA as values (RFC 5464 §4), and the names of entries (§3.2)."""

import re
from typing import Final

from postroad.imap.wire.command import Command
from postroad.imap.wire.mailbox_name import MailboxName

# §3.2 forbids wildcards, what is not ASCII, an empty component and one to end with. Controls up to
# 0x19 are named; the rest of them would break nothing and please nobody.
_NAME: Final = re.compile(rb"/(?:private|shared)(?:/[^\x00-\x1f\x7f-\xff*%/]++)*", re.IGNORECASE)
NAME_LENGTH: Final = 255
"""Octets of the name of an entry."""
DEPTH_INFINITY: Final = 1 << 30


class GetMetadata(Command, frozen=True):
    """GETMETADATA (§4.2)."""

    mailbox: MailboxName
    """The empty name is the server."""
    entries: tuple[str, ...]
    """As the client wrote them; names are compared without case."""
    max_size: int | None = None
    depth: int = 0


class SetMetadata(Command, frozen=True):
    """SETMETADATA (§4.3)."""

    mailbox: MailboxName
    values: tuple[tuple[str, bytes | None], ...]
    """None, written NIL, removes an entry."""


def is_name(octets: bytes) -> bool:
    """Whether an entry may be asked for; /private and /shared are names for what is below them."""
    return len(octets) <= NAME_LENGTH and _NAME.fullmatch(octets) is not None


def is_settable(octets: bytes) -> bool:
    """Whether an entry may be set: a vendor's has four components at least, any other two (§3.2)."""
    least = 4 if octets.lower().split(b"/")[2:3] == [b"vendor"] else 2
    return octets.count(b"/") >= least
