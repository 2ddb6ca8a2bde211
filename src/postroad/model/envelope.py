"""The SMTP envelope: who it is from, whom it is for (RFC 5321 §2.3.1)."""

from enum import Enum

from msgspec import Struct

from postroad.model.address import Address


class Wish(Enum):
    """What the sender of a message says of TLS on its way (RFC 8689)."""

    NONE = ""
    REQUIRED = "require"
    """REQUIRETLS: a server that is authenticated and passes the wish on, or none."""
    WAIVED = "waive"
    """TLS-Required: No: the recipient's demands are passed over."""


class Release(Struct, frozen=True):
    """When a message may go, which its sender has put off (RFC 4865)."""

    at: float
    asked: str
    """As it was asked for, `for;3600` or `until;2026-01-31T08:00:00Z`, for notices about it."""


class DeliverBy(Struct, frozen=True):
    """By when a message is to be delivered, and what follows where it is not (RFC 2852)."""

    at: float
    """Seconds since 1970."""
    returns: bool
    """It comes back then; or else its sender is told, and it is tried on."""
    trace: bool = False
    """The sender wants to hear of each server that it is handed to."""


class Recipient(Struct, frozen=True):
    """One RCPT TO with its DSN wishes (RFC 3461 §4)."""

    address: Address
    notify: frozenset[str] = frozenset()
    """NEVER, or a subset of SUCCESS, FAILURE, DELAY; empty when not asked."""
    original: str = ""
    """ORCPT as it came, `rfc822;ada@example.org`; empty when absent."""


class Envelope(Struct, frozen=True):
    """A whole envelope; `sender` None is the null reverse-path (RFC 5321 §4.5.5)."""

    sender: Address | None
    recipients: tuple[Recipient, ...]
    body: str = "7BIT"
    """7BIT, 8BITMIME (RFC 6152) or BINARYMIME (RFC 3030)."""
    smtputf8: bool = False
    ret: str = ""
    """FULL or HDRS (RFC 3461 §4.3); empty when not asked."""
    envid: str = ""
    tls: Wish = Wish.NONE
    release: Release | None = None
    """None: it goes at once."""
    priority: int | None = None
    """From -9 to 9; higher ones go first (RFC 6710). None: nothing was said, which is 0."""
    deliver_by: DeliverBy | None = None


class Peer(Struct, frozen=True):
    """What is known of the other end when a message comes in; goes to Received and trail."""

    protocol: str
    """The WITH keyword: ESMTP, ESMTPS, ESMTPSA … (RFC 3848)."""
    address: str
    """IP address of the client, as text; empty for local injection."""
    helo: str = ""
    reverse_name: str = ""
    tls: str = ""
    """`TLSv1.3 TLS_AES_256_GCM_SHA384`; empty in clear."""
    listener: str = ""
    login: str = ""
    """Account that logged in, `ada@example.org`; empty for strangers."""
    account_id: int | None = None
    connection_id: str = ""
    facts: tuple[str, ...] = ()
    """Anything else worth keeping in the trail, in plain sentences."""
