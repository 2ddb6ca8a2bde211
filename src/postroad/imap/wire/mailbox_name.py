"""Mailbox names on the wire (RFC 3501 §5.1)."""

import re
from dataclasses import dataclass
from typing import Final

from postroad.message.utf7 import decode_utf7

# What stands for itself: printable US-ASCII apart from the shift character.
_PLAIN: Final = re.compile(rb"[\x20-\x25\x27-\x7e]*")
_INBOX: Final = "INBOX"


@dataclass(frozen=True, slots=True)
class MailboxName:
    """A mailbox name as a client gave it.

    A name that is no modified UTF-7 keeps its octets as text (UTF-8 where it
    is UTF-8) with `valid` false: no such mailbox can exist or be made.
    """

    name: str
    valid: bool = True


def decode_mailbox(raw: bytes) -> MailboxName:
    """Return the name that a client meant; INBOX in any case is INBOX (RFC 3501 §5.1)."""
    if _PLAIN.fullmatch(raw):
        return MailboxName(inbox_or(raw.decode("ascii")))
    try:
        name = decode_utf7(raw)
    except ValueError:
        return MailboxName(raw.decode("utf-8", "replace"), valid=False)
    return MailboxName(name)


def inbox_or(name: str) -> str:
    """Return the name; INBOX in any case is INBOX."""
    return _INBOX if len(name) == 5 and name.upper() == _INBOX else name
