"""The responses of ACL (RFC 4314 §3.6 to §3.8)."""

from collections.abc import Iterable

from postroad.imap.wire.responses import astring, mailbox
from postroad.model.rights import ORDER, Rights, shown


def acl(name: bytes, pairs: Iterable[tuple[str, Rights]]) -> bytes:
    """Write ACL: identifiers and what each is given."""
    words = [astring(who.encode()) + b" " + _rights(rights) for who, rights in pairs]
    return b" ".join([b"ACL", mailbox(name), *words])


def list_rights(name: bytes, identifier: bytes, always: Rights, free: Rights) -> bytes:
    """Write LISTRIGHTS: what an identifier has always, and each right that it may be given, none tied."""
    each = [letter.encode() for letter in ORDER if letter in free]
    virtual = [b"c", b"d"] if free else []
    return b" ".join([b"LISTRIGHTS", mailbox(name), astring(identifier), _rights(always), *each, *virtual])


def my_rights(name: bytes, rights: Rights) -> bytes:
    """Write MYRIGHTS."""
    return b"MYRIGHTS %b %b" % (mailbox(name), _rights(rights))


def _rights(rights: Rights) -> bytes:
    return astring(shown(rights).encode())
