"""SASL exchanges as values: responses in, outcomes out (RFC 4422 §3).

An exchange knows the messages of its mechanism and no secret, user or
protocol. Whoever drives it (`directory.login`) asks the directory what the
exchange comes to; the session carries the challenges in the manner of its
protocol. A mechanism that needs something from the directory half-way (SCRAM:
salt and keys) gives an outcome of its own kind and is told the answer by a
method of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

FIELD_OCTETS: Final = 255
"""Octets of a name or a password; RFC 4616 §2 bounds each field at 255 characters."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server has something to say before the next response."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Password:
    """The client has named itself and given a password, to be verified."""

    login: str
    secret: str = field(repr=False)
    authorization: str = ""
    """Whom the client wants to act as; empty for itself."""

    @property
    def as_itself(self) -> bool:
        """Whether the client wants to act as who it is, the only thing that is granted here."""
        return is_itself(self.login, self.authorization)


@dataclass(frozen=True, slots=True)
class KeysWanted:
    """SCRAM: whose keys are needed; `Scram.use` takes them and gives the next outcome."""

    login: str
    hash: str
    """`SHA-256` or `SHA-1`."""
    authorization: str = ""

    @property
    def as_itself(self) -> bool:
        """See `Password.as_itself`."""
        return is_itself(self.login, self.authorization)


@dataclass(frozen=True, slots=True)
class Proof:
    """SCRAM: which of the keys the client has proved to know; `Scram.accept` gives the last challenge."""

    index: int | None
    """Into what `Scram.use` was given; None: it has proved nothing."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """OAUTHBEARER, XOAUTH2: a token to be checked; `refuse` of the exchange says that it is not right."""

    token: str = field(repr=False)
    """Empty: the client only wants to be told where to get one (RFC 7628 §4.3)."""
    login: str
    """Whose the client says it is; may be empty."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """EXTERNAL: the client is who its TLS certificate says."""

    authorization: str
    """Empty: the one whom it names."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The client has taken note of the last challenge; what was decided before that stands."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The response is not what the mechanism wants; the exchange is over. The reason may be told."""

    reason: str


Outcome: TypeAlias = Challenge | Password | KeysWanted | Proof | Bearer | Certificate | Acknowledged | Failed


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an exchange has to know that is not in its messages."""

    nonce: str = field(default="", repr=False)
    """The server's part for SCRAM: printable ASCII without a comma, never used twice (RFC 5802 §5.1)."""
    bindings: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Channel bindings of this connection by their registered names (RFC 5056 §7)."""
    plus_offered: bool = False
    """Whether a -PLUS mechanism was on offer: then a client that says it saw none was lied to."""


class Exchange(Protocol):
    """One authentication exchange of one mechanism, seen from the server."""

    def start(self, initial: bytes | None) -> Outcome:
        """Begin; `initial` is the client's initial response if the protocol carried one."""
        ...

    def respond(self, response: bytes) -> Outcome:
        """Go on with the client's response to the last challenge."""
        ...


def is_itself(login: str, authorization: str) -> bool:
    """Whether whom a client wants to act as is who it is."""
    return not authorization or authorization.casefold() == login.casefold()
