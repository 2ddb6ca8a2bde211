"""One of the servers that are compared, as the load generators see it."""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from bench.tree import Tree
from tests.interop.certificates import Certificates

PASSWORD: Final = "sw0rdfish and chips"
LOCAL: Final = "127.0.0.1"
SENDERS: Final = 100
USERS: Final = (*tuple(f"u{number}" for number in range(SENDERS)), "large", "bodies", "pop", "moves", "idle")
"""Accounts that every side has."""
RELAYED: Final = "relayed"
"""An alias of every side whose mail goes on to the sink."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where it listens; s is TLS from the first octet, the others take passwords in clear."""

    smtp: int
    imap: int
    imaps: int
    pop3: int
    pop3s: int


@dataclass(frozen=True, slots=True)
class Side:
    """A server and a way of keeping mail."""

    name: str
    domain: str
    prefix: str
    """What its accounts begin with: several sides may share one server."""
    ports: Ports
    tree: Tree
    certificates: Certificates
    restart: Callable[[], None]
    """End it and start it again."""
    forget: Callable[[str, str], None] = lambda _user, _mailbox: None
    """Drop what it has cached about a mailbox, where that outlives a restart."""
    add_users: Callable[[Sequence[str]], None] = lambda _users: None
    """Make more accounts."""
    store: Path | None = None
    """The data directory, if it is postroad's."""
    maildirs: Path | None = None
    """Where its Maildirs are, if it has some: they can be filled without the server."""
    filled: set[tuple[str, str]] = field(default_factory=set)
    """The mailboxes, by user and name, that are as the measurements want them."""

    def address(self, user: str) -> str:
        """The address, and log-in, of one of its users."""
        return f"{self.prefix}{user}@{self.domain}"

    def tls(self) -> ssl.SSLContext:
        """For clients, who trust the authority of the tests."""
        return _tls_context(self.certificates.authority)


@cache
def _tls_context(authority: Path) -> ssl.SSLContext:
    """Make it once, for it takes a while; without tickets, so that each log-in is a whole handshake."""
    context = ssl.create_default_context(cafile=str(authority))
    context.options |= ssl.OP_NO_TICKET
    return context
