"""What the sessions of a listener work with."""

import ssl
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from postroad.directory.attempts import LoggedIn
from postroad.directory.client import Client
from postroad.directory.login import Login
from postroad.model.address import Address
from postroad.model.clock import Clock
from postroad.model.envelope import Envelope, Peer
from postroad.model.networks import NOBODY, Networks
from postroad.model.octets import Octets
from postroad.net.connection import Connection
from postroad.net.listener import Refusal
from postroad.policy.limits import Limits
from postroad.smtp.wire.terms import Terms


class Role(Enum):
    """What a listener is for."""

    EXCHANGE = "smtp"
    """Mail from other servers: port 25."""
    SUBMISSION = "submission"
    """Mail from our users: ports 587 and 465 (RFC 6409, RFC 8314)."""
    DELIVERY = "lmtp"
    """Mail from a server of ours that has checked it and hands it over for good (RFC 2033)."""


class Acceptor(Protocol):
    """Who decides on senders, recipients and messages: `delivery.inbound` or `delivery.submit`."""

    def check_sender(self, peer: Peer, sender: Address | None) -> None:
        """Raises Refused."""
        ...

    def check_recipient(self, peer: Peer, address: Address) -> None:
        """Raises Refused."""
        ...

    async def accept(self, peer: Peer, envelope: Envelope, body: Octets, binary: Octets | None = None) -> str:
        """Take a message: durable on return, which gives the text of the 250.

        `binary` is the message as it came, where that was not made of lines (RFC 3030 §3).

        Raises Refused, Unavailable or StoreError.
        """
        ...

    async def refused(
        self, peer: Peer, sender: str, recipients: Sequence[str], refusals: Sequence[str]
    ) -> None:
        """Keep what a session was told no to."""
        ...


class Visit(Protocol):
    """One peer, and what has been found out about it (`policy.reception`)."""

    def said(self) -> Iterable[str]:
        """Sentences for the trail."""
        ...

    async def check(self, peer: Peer, sender: Address | None, recipient: Address) -> None:
        """Raises Refused."""
        ...

    async def slow_down(self, peer: Peer, recipient: Address, code: int) -> None:
        """Let who named a recipient that was refused by `code` wait."""
        ...


class Reception(Protocol):
    """Whom strangers may write to, and when."""

    def greeting_delay(self, address: str, listener: float | None) -> float:
        """Seconds for which the greeting is held back from a peer; `listener` is what that one wants."""
        ...

    def visit(self) -> Visit | None:
        """Begin with a peer; None where nothing is asked."""
        ...


class Authenticator(Protocol):
    """The verbs of the directory that a session needs."""

    def mechanisms(self, client: Client, allowed: Collection[str] = ()) -> tuple[str, ...]:
        """What to offer."""
        ...

    def vouched_for(self, login: str) -> LoggedIn | None:
        """Who logged in at a proxy that is trusted; None if there is nobody of that name."""
        ...

    def begin_login(self, mechanism: str, client: Client, allowed: Collection[str] = ()) -> Login | None:
        """Begin an exchange of a mechanism that is offered."""
        ...


class Spool(Protocol):
    """Collects the octets of one message (`store.blobs.spool`)."""

    def write(self, chunk: bytes) -> None:
        """Raises Unavailable when the disk is full."""
        ...

    def finish(self) -> Octets:
        """Give the whole message, valid until `close`."""
        ...

    def close(self) -> None:
        """Drop everything."""
        ...


class Spools(Protocol):
    """The one verb of the store that a session needs."""

    def spool(self) -> Spool:
        """Return an empty spool."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """All of it, the same for every connection of a listener."""

    acceptor: Acceptor
    directory: Authenticator
    store: Spools
    clock: Clock
    limits: Limits
    role: Role
    terms: Terms
    tls_context: ssl.SSLContext | None
    mechanisms: Collection[str]
    """Those that this listener may use; none named: all."""
    listener: str
    on_trusted: Callable[[Connection], None]
    """Told of connections that have earned their place: a log-in, a message taken (`policy.gate`)."""
    reception: Reception | None = None
    """Looks at who sends, where strangers send; None: nobody is looked at."""
    greeting_delay: float | None = None
    """Seconds for which this listener holds the greeting back; None: as the settings say."""
    xclient_from: Networks = NOBODY
    """Proxies that may say whom they speak for."""
    hold_seconds: int = 0
    """For how long a message may be held before it goes (RFC 4865); 0: not at all."""
    on_turned_away: Callable[[str, str], None] = lambda _address, _reason: None
    """Told of peers that were hung up on, by address, and why (`policy.turned_away`)."""
    on_readdressed: Callable[[Connection, str], Refusal | None] = lambda _connection, _address: None
    """Asked whether a connection may count for another address from now on."""
