"""SASL exchanges as values: responses in, outcomes out (RFC 4422 §3).

An exchange knows the messages of its mechanism and no secret, user or
protocol. The session carries the challenges in the manner of its protocol,
and asks the directory what the exchange comes to. A mechanism that needs
something from the directory half-way (SCRAM: salt and keys) gives an outcome
of its own kind and is told the answer by a method of its own.
"""

from dataclasses import dataclass, field
from typing import Protocol, TypeAlias


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
        return not self.authorization or self.authorization.casefold() == self.login.casefold()


@dataclass(frozen=True, slots=True)
class Failed:
    """The response is not what the mechanism wants; the exchange is over. The reason may be told."""

    reason: str


Outcome: TypeAlias = Challenge | Password | Failed


class Exchange(Protocol):
    """One authentication exchange of one mechanism, seen from the server."""

    def start(self, initial: bytes | None) -> Outcome:
        """Begin; `initial` is the client's initial response if the protocol carried one."""
        ...

    def respond(self, response: bytes) -> Outcome:
        """Go on with the client's response to the last challenge."""
        ...
