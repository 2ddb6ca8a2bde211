"""What an SMTP server core tells its session, one event at a time."""

from dataclasses import dataclass
from typing import TypeAlias

from postroad.model.address import Address
from postroad.smtp.wire.replies import Reply


@dataclass(frozen=True, slots=True)
class Answered:
    """The core has replied by itself: a command that needs no service, or one that is wrong."""

    reply: Reply
    fault: bool
    """The peer broke grammar, order or a limit; it counts towards the limit on errors."""


@dataclass(frozen=True, slots=True)
class Hello:
    """EHLO or HELO was answered; any mail transaction is over (RFC 5321 §4.1.4)."""


@dataclass(frozen=True, slots=True)
class Reset:
    """RSET was answered; any mail transaction is over (RFC 5321 §4.1.1.5)."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """STARTTLS, to be answered 220 or 454 (RFC 3207 §4)."""


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH with a mechanism that is on offer, to be answered 334, 235 or an error (RFC 4954 §4)."""

    mechanism: str
    initial: bytes | None
    """The initial response in base64; None when there was none."""


@dataclass(frozen=True, slots=True)
class AuthResponse:
    """A line of the exchange, in base64, to be answered like `Auth`."""

    data: bytes


@dataclass(frozen=True, slots=True)
class AuthCancelled:
    """The peer gave up the exchange or broke its grammar; it was answered."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL FROM, to be answered; `sender` None is the null reverse-path (RFC 5321 §4.5.5)."""

    sender: Address | None
    size: int = 0
    """SIZE= as declared, 0 when it was not (RFC 1870)."""
    body: str = "7BIT"
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT TO, to be answered; the domain is empty for bare `<postmaster>` (RFC 5321 §4.5.1)."""

    address: Address
    notify: frozenset[str] = frozenset()
    original: str = ""


@dataclass(frozen=True, slots=True)
class Data:
    """DATA with recipients, to be answered 354 or an error."""


@dataclass(frozen=True, slots=True)
class DataChunk:
    """Octets of the message, undone of dot-stuffing. Not to be answered."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ChunkEnd:
    """A BDAT that is not the last one is whole, to be answered (RFC 3030 §2)."""

    size: int


@dataclass(frozen=True, slots=True)
class DataEnd:
    """The message is whole and well-formed, to be answered."""

    size: int


@dataclass(frozen=True, slots=True)
class DataRefused:
    """The message cannot be taken; it was answered, and what may still come of it is dropped."""

    reply: Reply
    fault: bool = True
    """As in `Answered`."""


@dataclass(frozen=True, slots=True)
class Quit:
    """QUIT was answered; the session closes."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """The peer does what no mail client does; the session closes."""

    reason: str
    """For trail and log."""
    reply: Reply | None = None
    """What was said to the peer; None when it speaks another protocol and gets no word."""


Event: TypeAlias = (
    Answered
    | Hello
    | Reset
    | StartTls
    | Auth
    | AuthResponse
    | AuthCancelled
    | Mail
    | Rcpt
    | Data
    | DataChunk
    | ChunkEnd
    | DataEnd
    | DataRefused
    | Quit
    | HangUp
)

ToAnswer: TypeAlias = StartTls | Auth | AuthResponse | Mail | Rcpt | Data | ChunkEnd | DataEnd
"""Events after which the core waits for `answer`."""
