"""Commands about the session itself (RFC 3501 §6.1, §6.2)."""

from postroad.imap.wire.command import Command


class Capability(Command, frozen=True):
    """CAPABILITY."""


class Noop(Command, frozen=True):
    """NOOP."""


class Logout(Command, frozen=True):
    """LOGOUT."""


class Id(Command, frozen=True):
    """ID (RFC 2971); empty for NIL. Fields are what the client says, not more."""

    fields: tuple[tuple[str, str | None], ...] = ()


class StartTls(Command, frozen=True):
    """STARTTLS: answer, `core.reset_for_tls()`, then `Connection.start_tls`."""


class Authenticate(Command, frozen=True):
    """AUTHENTICATE, with the initial response of RFC 4959 already out of base64.

    `core.expect_auth_response(tag)` makes the next line an `AuthResponse`.
    """

    mechanism: str
    """In upper case."""
    initial: bytes | None = None

    def __repr__(self) -> str:
        return f"Authenticate(tag={self.tag!r}, mechanism={self.mechanism!r})"  # without the secret


class Login(Command, frozen=True):
    """LOGIN; octets that are no UTF-8 become U+FFFD and match nothing."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login(tag={self.tag!r}, user={self.user!r})"  # without the secret


class Enable(Command, frozen=True):
    """ENABLE (RFC 5161); names in upper case, known or not."""

    capabilities: tuple[str, ...]


class Compress(Command, frozen=True):
    """COMPRESS DEFLATE (RFC 4978): answer, then `core.begin_compression`."""


class Unauthenticate(Command, frozen=True):
    """UNAUTHENTICATE (RFC 8437)."""


class Namespace(Command, frozen=True):
    """NAMESPACE (RFC 2342)."""


class Language(Command, frozen=True):
    """LANGUAGE (RFC 5255 §3.2); none asks which there are."""

    ranges: tuple[str, ...] = ()
    """In lower case."""


class Comparator(Command, frozen=True):
    """COMPARATOR (RFC 5255 §4.7); none asks which there is."""

    orders: tuple[str, ...] = ()
    """In lower case."""


class Idle(Command, frozen=True):
    """IDLE (RFC 2177): answer `core.continuation`, then `core.expect_done(tag)`."""
