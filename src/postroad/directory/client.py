"""Where a log-in comes from: address, protocol, and what its TLS connection proves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from postroad.net.connection import Connection
from postroad.net.tls import channel_bindings, client_addresses

_SCOPES: Final = {"submission": "smtp"}
"""What the protocols of our listeners are called in the scope of an app password, if otherwise."""


@dataclass(frozen=True, slots=True)
class Client:
    """All that the directory has to know of it."""

    address: str
    protocol: str
    """For metrics, log and the scope of app passwords: imap, pop3, submission."""
    bindings: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Channel bindings by name (RFC 5056)."""
    names: tuple[str, ...] = ()
    """Mail addresses in its certificate, if it has shown one that counts here."""

    @property
    def scope(self) -> str:
        """What an app password must be good for."""
        return _SCOPES.get(self.protocol, self.protocol)

    @property
    def default_binding(self) -> bool:
        """Whether it can bind the way it has to be able to (RFC 9266 §3, RFC 5802 §6.1)."""
        return "tls-exporter" in self.bindings or "tls-unique" in self.bindings


def client_of(connection: Connection, protocol: str) -> Client:
    """Say it of a connection as it is now: STARTTLS changes it."""
    tls = connection.ssl_object
    if tls is None:
        return Client(connection.peer[0], protocol)
    return Client(connection.peer[0], protocol, channel_bindings(tls), client_addresses(tls))
