"""Which commands name messages by number, and are refused under UIDONLY (RFC 9586 §3)."""

from typing import Final

from postroad.imap.wire.event import Event
from postroad.imap.wire.mailbox_commands import Select
from postroad.imap.wire.message_commands import Annotate, Copy, Fetch, Move, ReplaceStart, Store
from postroad.imap.wire.search_commands import Search, Thread
from postroad.imap.wire.search_keys import NumberKey, SearchKey, all_keys

UIDREQUIRED: Final = b"[UIDREQUIRED] messages have no numbers any more, only UIDs"


def names_numbers(command: Event) -> bool:
    """Tell whether a command speaks of message numbers, or is answered with them (§3.2, §3.5, §3.7, §3.8)."""
    match command:
        case Fetch(uid=uid) | Store(uid=uid) | Annotate(uid=uid) | Copy(uid=uid) | Move(uid=uid):
            return not uid
        case ReplaceStart(uid=uid):
            return not uid
        case Search(uid=uid, key=key) | Thread(uid=uid, key=key):
            return not uid or _numbered(key)
        case Select(qresync=known):
            return known is not None and known.known_numbers is not None
        case _:
            return False


def _numbered(key: SearchKey) -> bool:
    # `$` stands for messages, not for their numbers.
    return any(isinstance(found, NumberKey) and not found.numbers.saved for found in all_keys(key))
