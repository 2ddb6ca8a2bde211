"""Mailbox names on the wire (RFC 3501 §5.1)."""

import re
from typing import Final

from msgspec import Struct

from postroad.message.utf7 import decode_utf7

# What stands for itself: printable US-ASCII apart from the shift character.
_PLAIN: Final = re.compile(rb"[\x20-\x25\x27-\x7e]*")
_INBOX: Final = "INBOX"


class MailboxName(Struct, frozen=True):
    """A mailbox name as a client gave it.

    A name that is neither modified UTF-7 nor UTF-8 keeps its octets as text
    with `valid` false: no such mailbox can exist or be made.
    """

    name: str
    valid: bool = True


def decode_mailbox(raw: bytes, *, utf8: bool = False) -> MailboxName:
    """Return the name that a client meant; INBOX in any case is INBOX (RFC 3501 §5.1).

    With `utf8` names are UTF-8 and nothing else. Without, they are modified
    UTF-7, and what is no ASCII is UTF-8 all the same (RFC 6855 §3).
    """
    if utf8 or not raw.isascii():
        try:
            return MailboxName(inbox_or(raw.decode("utf-8")))
        except UnicodeDecodeError:
            return MailboxName(raw.decode("utf-8", "replace"), valid=False)
    if _PLAIN.fullmatch(raw):
        return MailboxName(inbox_or(raw.decode("ascii")))
    try:
        name = decode_utf7(raw)
    except ValueError:
        return MailboxName(raw.decode("ascii"), valid=False)
    return MailboxName(name)


def inbox_or(name: str) -> str:
    """Return the name; INBOX in any case is INBOX."""
    # Not `upper`: no letter beyond ASCII becomes one of these when it is made small.
    return _INBOX if len(name) == 5 and name.lower() == "inbox" else name
