"""What a POP3 client can ask of a session (RFC 1939, 2449, 2595, 5034)."""

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Login:
    """USER and PASS together (RFC 1939 §7)."""

    user: bytes
    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH with its initial response, decoded; None when there was none (RFC 5034 §4)."""

    mechanism: bytes
    initial: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthResponse:
    """The client's answer to a challenge, decoded; None when it gave up with `*`."""

    data: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class StartTls:
    """STLS (RFC 2595 §4)."""


@dataclass(frozen=True, slots=True)
class Stat:
    """STAT."""


@dataclass(frozen=True, slots=True)
class List:
    """LIST, of one message or of all."""

    number: int | None


@dataclass(frozen=True, slots=True)
class Uidl:
    """UIDL, of one message or of all."""

    number: int | None


@dataclass(frozen=True, slots=True)
class Retr:
    """RETR."""

    number: int


@dataclass(frozen=True, slots=True)
class Top:
    """TOP: the header and some lines of the body."""

    number: int
    lines: int


@dataclass(frozen=True, slots=True)
class Dele:
    """DELE."""

    number: int


@dataclass(frozen=True, slots=True)
class Rset:
    """RSET."""


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT; `update` when deletions take effect now (RFC 1939 §6)."""

    update: bool


@dataclass(frozen=True, slots=True)
class HangUp:
    """The core has had enough of this peer: send what is waiting and close."""

    reason: str


Event: TypeAlias = (
    Login | Auth | AuthResponse | StartTls | Stat | List | Uidl | Retr | Top | Dele | Rset | Quit | HangUp
)
