"""Commands about the session itself (RFC 3501 §6.1, §6.2)."""

from dataclasses import dataclass, field

from postroad.imap.wire.command import Command


@dataclass(frozen=True, slots=True)
class Capability(Command):
    """CAPABILITY."""


@dataclass(frozen=True, slots=True)
class Noop(Command):
    """NOOP."""


@dataclass(frozen=True, slots=True)
class Logout(Command):
    """LOGOUT."""


@dataclass(frozen=True, slots=True)
class Id(Command):
    """ID (RFC 2971); empty for NIL. Fields are what the client says, not more."""

    fields: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class StartTls(Command):
    """STARTTLS: answer, `core.reset_for_tls()`, then `Connection.start_tls`."""


@dataclass(frozen=True, slots=True)
class Authenticate(Command):
    """AUTHENTICATE, with the initial response of RFC 4959 already out of base64.

    `core.expect_auth_response(tag)` makes the next line an `AuthResponse`.
    """

    mechanism: str
    """In upper case."""
    initial: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Login(Command):
    """LOGIN; octets that are no UTF-8 become U+FFFD and match nothing."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enable(Command):
    """ENABLE (RFC 5161); names in upper case, known or not."""

    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compress(Command):
    """COMPRESS DEFLATE (RFC 4978): answer, then `core.begin_compression`."""


@dataclass(frozen=True, slots=True)
class Unauthenticate(Command):
    """UNAUTHENTICATE (RFC 8437)."""


@dataclass(frozen=True, slots=True)
class Namespace(Command):
    """NAMESPACE (RFC 2342)."""


@dataclass(frozen=True, slots=True)
class Idle(Command):
    """IDLE (RFC 2177): answer `core.continuation`, then `core.expect_done(tag)`."""
