"""What an SMTP server core tells its session, one event at a time."""

from typing import TypeAlias

from msgspec import Struct

from postroad.model.address import Address
from postroad.smtp.wire.deliver_by import By
from postroad.smtp.wire.holding import Hold
from postroad.smtp.wire.replies import Reply


class Answered(Struct, frozen=True):
    """The core has replied by itself: a command that needs no service, or one that is wrong."""

    reply: Reply
    fault: bool
    """The peer broke grammar, order or a limit; it counts towards the limit on errors."""


class Hello(Struct, frozen=True):
    """EHLO or HELO was answered; any mail transaction is over (RFC 5321 §4.1.4)."""


class Reset(Struct, frozen=True):
    """RSET was answered; any mail transaction is over (RFC 5321 §4.1.1.5)."""


class StartTls(Struct, frozen=True):
    """STARTTLS, to be answered 220 or 454 (RFC 3207 §4)."""


class Auth(Struct, frozen=True):
    """AUTH with a mechanism that is on offer, to be answered 334, 235 or an error (RFC 4954 §4)."""

    mechanism: str
    initial: bytes | None
    """The initial response in base64; None when there was none."""


class AuthResponse(Struct, frozen=True):
    """A line of the exchange, in base64, to be answered like `Auth`."""

    data: bytes


class AuthCancelled(Struct, frozen=True):
    """The peer gave up the exchange or broke its grammar; it was answered."""

    reply: Reply


class Xclient(Struct, frozen=True):
    """XCLIENT, to be answered 220 or an error: whom a trusted proxy speaks for.

    None: nothing was said of it; empty: the proxy does not know.
    """

    name: str | None = None
    """From the DNS, by the address."""
    address: str | None = None
    port: int | None = None
    helo: str | None = None
    login: str | None = None


class Mail(Struct, frozen=True):
    """MAIL FROM, to be answered; `sender` None is the null reverse-path (RFC 5321 §4.5.5)."""

    sender: Address | None
    size: int = 0
    """SIZE= as declared, 0 when it was not (RFC 1870)."""
    body: str = "7BIT"
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""
    requiretls: bool = False
    """It may only go on in TLS to servers that are who they say they are (RFC 8689 §4.1)."""
    hold: Hold | None = None
    """How long it is to be held before it goes (RFC 4865)."""
    priority: int | None = None
    """As it was asked for (RFC 6710); None: it was not."""
    by: By | None = None
    """When it is to be delivered (RFC 2852)."""


class Rcpt(Struct, frozen=True):
    """RCPT TO, to be answered; the domain is empty for bare `<postmaster>` (RFC 5321 §4.5.1)."""

    address: Address
    notify: frozenset[str] = frozenset()
    original: str = ""


class Data(Struct, frozen=True):
    """DATA with recipients, to be answered 354 or an error."""


class DataChunk(Struct, frozen=True):
    """Octets of the message, undone of dot-stuffing. Not to be answered."""

    data: bytes


class ChunkEnd(Struct, frozen=True):
    """A BDAT that is not the last one is whole, to be answered (RFC 3030 §2)."""

    size: int


class DataEnd(Struct, frozen=True):
    """The message is whole and well-formed, to be answered."""

    size: int


class DataRefused(Struct, frozen=True):
    """The message cannot be taken; it was answered, and what may still come of it is dropped."""

    reply: Reply
    fault: bool = True
    """As in `Answered`."""


class Quit(Struct, frozen=True):
    """QUIT was answered; the session closes."""


class HangUp(Struct, frozen=True):
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
    | Xclient
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

ToAnswer: TypeAlias = StartTls | Auth | AuthResponse | Xclient | Mail | Rcpt | Data | ChunkEnd | DataEnd
"""Events after which the core waits for `answer`."""
