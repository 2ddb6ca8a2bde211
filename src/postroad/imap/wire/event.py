"""What a session gets from `ImapServerCore.next_event`.

A command, parsed, checked against the grammar and legal in the state of the
session; what follows within a command; the end.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from postroad.imap.wire.command import Command
from postroad.imap.wire.message_commands import AppendPiece, AppendText


@dataclass(frozen=True, slots=True)
class LiteralChunk:
    """Octets of the message that is being appended."""

    data: bytes


@dataclass(frozen=True, slots=True)
class AppendNext:
    """APPEND goes on behind a text, up to another one."""

    tag: bytes
    pieces: tuple[AppendPiece, ...]
    text: AppendText


@dataclass(frozen=True, slots=True)
class AppendEnd:
    """The command is complete: file its messages and answer."""

    tag: bytes
    pieces: tuple[AppendPiece, ...] = ()


@dataclass(frozen=True, slots=True)
class AppendAborted:
    """What followed the message was no end of command; the core has answered."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class AuthResponse:
    """A line of a SASL exchange, out of base64."""

    tag: bytes
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthAborted:
    """The client gave up (`*`) or sent no base64; the core has answered BAD."""

    tag: bytes


@dataclass(frozen=True, slots=True)
class IdleEnd:
    """IDLE is over. `done` is false where the line was no DONE; the core has answered then."""

    tag: bytes
    done: bool = True


@dataclass(frozen=True, slots=True)
class SaveFailed:
    """A SEARCH that was to be saved has been refused: `$` stands for nothing now (RFC 5182 §2.1)."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The core has said its last word, if any: flush and close."""

    reason: str
    """For the log: `http`, `tls`, `bad commands`, `too big`."""


_Continued: TypeAlias = (
    LiteralChunk | AppendNext | AppendEnd | AppendAborted | AuthResponse | AuthAborted | IdleEnd
)
Event: TypeAlias = Command | _Continued | SaveFailed | Hangup
