"""What a session gets from `ImapServerCore.next_event`.

A command, parsed, checked against the grammar and legal in the state of the
session; what follows within a command; the end.
"""

from typing import TypeAlias

from msgspec import Struct

from postroad.imap.wire.command import Command
from postroad.imap.wire.message_commands import AppendPiece, AppendText


class LiteralChunk(Struct, frozen=True):
    """Octets of the message that is being appended."""

    data: bytes


class AppendNext(Struct, frozen=True):
    """APPEND goes on behind a text, up to another one."""

    tag: bytes
    pieces: tuple[AppendPiece, ...]
    text: AppendText


class AppendEnd(Struct, frozen=True):
    """The command is complete: file its messages and answer."""

    tag: bytes
    pieces: tuple[AppendPiece, ...] = ()


class AppendAborted(Struct, frozen=True):
    """What followed the message was no end of command; the core has answered."""

    tag: bytes


class AuthResponse(Struct, frozen=True):
    """A line of a SASL exchange, out of base64."""

    tag: bytes
    data: bytes

    def __repr__(self) -> str:
        return f"AuthResponse(tag={self.tag!r})"  # a secret


class AuthAborted(Struct, frozen=True):
    """The client gave up (`*`) or sent no base64; the core has answered BAD."""

    tag: bytes


class IdleEnd(Struct, frozen=True):
    """IDLE is over. `done` is false where the line was no DONE; the core has answered then."""

    tag: bytes
    done: bool = True


class SearchRefused(Struct, frozen=True):
    """The core has answered a SEARCH in a charset that nobody knows; there may be many of them in a row."""

    saving: bool
    """It was to be saved: `$` stands for nothing now (RFC 5182 §2.1)."""


class Hangup(Struct, frozen=True):
    """The core has said its last word, if any: flush and close."""

    reason: str
    """For the log: `http`, `tls`, `bad commands`, `too big`."""


_Continued: TypeAlias = (
    LiteralChunk | AppendNext | AppendEnd | AppendAborted | AuthResponse | AuthAborted | IdleEnd
)
Event: TypeAlias = Command | _Continued | SearchRefused | Hangup
