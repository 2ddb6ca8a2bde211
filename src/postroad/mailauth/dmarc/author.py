"""The author domain: what a reader sees as the origin of a message (RFC 9989 §5.3.1, SAFETY C19)."""

import re
from typing import Final

from msgspec import Struct

from postroad.message.address_list import Mailbox, parse_addresses
from postroad.message.comment import strip_comments
from postroad.message.header import fields_named
from postroad.model.address import AddressError, normal_domain

LONGEST: Final = 8192
"""Octets of a From field that is read: all of it has to be, or others see whom we have not judged."""

# An "@" in a quoted string begins no domain (RFC 5322 §3.2.4); one that is not closed goes on to the end.
_QUOTED: Final = re.compile(rb'"(?:[^"\\]++|\\.)*(?:"|\\?\Z)', re.DOTALL)
_ANGLE: Final = re.compile(rb"<[^<>]*+>")
_DOMAIN: Final = re.compile(rb"@\s*+([^\s@<>,;:]++)")
_BETWEEN: Final = re.compile(rb"[,;:]")
_ADDRESS: Final = b"<>"


class Author(Struct, frozen=True):
    """Who the From field says it is from; `problem` says why there is nobody to judge."""

    domain: str = ""
    address: str = ""
    problem: str = ""


def author_of(header: bytes) -> Author:
    """Read the From field of a header block; there has to be one, and one domain in it."""
    fields = fields_named(header, (b"from",))
    if len(fields) != 1:
        return Author(problem=f"has {len(fields)} From fields" if fields else "has no From field")
    if len(fields[0]) > LONGEST:
        return Author(problem=f"has a From field of more than {LONGEST} octets")
    value = fields[0].partition(b":")[2].replace(b"\r\n", b"")
    mailboxes = [entry for entry in parse_addresses(value) if isinstance(entry, Mailbox)]
    if value.count(b"@") > len(mailboxes) and _is_ambiguous(value):
        return Author(problem="has an address in From that can be read in several ways")
    domains: set[str] = set()
    for mailbox in mailboxes:
        try:
            domains.add(normal_domain(mailbox.host.decode("utf-8")))
        except (UnicodeDecodeError, AddressError):
            return Author(problem="has an address in From without a valid domain")
    if len(domains) != 1:
        return Author(problem=f"has addresses of {len(domains) or 'no'} domains in From")
    return Author(domains.pop(), mailboxes[0].address)


def _is_ambiguous(value: bytes) -> bool:
    """Whether an address stands where none belongs: behind another one, with no comma between them.

    One reader takes the first of them, another the last. What stands in front of `<` is the name of
    somebody, whatever it looks like.
    """
    plain = _QUOTED.sub(b"", strip_comments(value))
    if len({domain.lower() for domain in _DOMAIN.findall(plain)}) == 1:
        return False  # whichever of them it is, the domain is the same
    for piece in _BETWEEN.split(_ANGLE.sub(_ADDRESS, plain)):
        _, angle, behind = piece.partition(_ADDRESS)
        if b"@" in behind or _ADDRESS in behind or (not angle and piece.count(b"@") > 1):
            return True
    return False
