"""What a POP3 client can ask of a session (RFC 1939, 2449, 2595, 5034)."""

from typing import TypeAlias

from msgspec import Struct


class Login(Struct, frozen=True):
    """USER and PASS together (RFC 1939 §7)."""

    user: bytes
    password: bytes

    def __repr__(self) -> str:
        return f"Login(user={self.user!r})"  # the rest is a secret


class Auth(Struct, frozen=True):
    """AUTH with its initial response, decoded; None when there was none (RFC 5034 §4)."""

    mechanism: bytes
    initial: bytes | None

    def __repr__(self) -> str:
        return f"Auth(mechanism={self.mechanism!r})"  # the rest is a secret


class AuthResponse(Struct, frozen=True):
    """The client's answer to a challenge, decoded; None when it gave up with `*`."""

    data: bytes | None

    def __repr__(self) -> str:
        return "AuthResponse()"  # a secret


class StartTls(Struct, frozen=True):
    """STLS (RFC 2595 §4)."""


class AboutMessages(Struct, frozen=True):
    """Whatever is asked in the TRANSACTION state (RFC 1939 §5)."""


class Stat(AboutMessages, frozen=True):
    """STAT."""


class List(AboutMessages, frozen=True):
    """LIST, of one message or of all."""

    number: int | None


class Uidl(AboutMessages, frozen=True):
    """UIDL, of one message or of all."""

    number: int | None


class Retr(AboutMessages, frozen=True):
    """RETR."""

    number: int


class Top(AboutMessages, frozen=True):
    """TOP: the header and some lines of the body."""

    number: int
    lines: int


class Dele(AboutMessages, frozen=True):
    """DELE."""

    number: int


class Rset(AboutMessages, frozen=True):
    """RSET."""


class Quit(Struct, frozen=True):
    """QUIT; `update` when deletions take effect now (RFC 1939 §6)."""

    update: bool


class HangUp(Struct, frozen=True):
    """The core has had enough of this peer: send what is waiting and close."""

    reason: str


class Pause(Struct, frozen=True):
    """So much came that others are to have their turn first, and the answers so far are to go out."""


Event: TypeAlias = (
    Login
    | Auth
    | AuthResponse
    | StartTls
    | Stat
    | List
    | Uidl
    | Retr
    | Top
    | Dele
    | Rset
    | Quit
    | HangUp
    | Pause
)
