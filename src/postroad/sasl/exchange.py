"""Which mechanisms there are, which can be used where, and how an exchange begins."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Final

from postroad.sasl.external import External
from postroad.sasl.login import Login
from postroad.sasl.oauth import OAuth
from postroad.sasl.outcome import Exchange, Surroundings
from postroad.sasl.plain import Plain
from postroad.sasl.scram import Scram

_EXCHANGES: Final[dict[str, Callable[[Surroundings], Exchange]]] = {
    "SCRAM-SHA-256-PLUS": partial(Scram, "SHA-256", plus=True),
    "SCRAM-SHA-1-PLUS": partial(Scram, "SHA-1", plus=True),
    "SCRAM-SHA-256": partial(Scram, "SHA-256", plus=False),
    "SCRAM-SHA-1": partial(Scram, "SHA-1", plus=False),
    "OAUTHBEARER": lambda _: OAuth(google=False),
    "XOAUTH2": lambda _: OAuth(google=True),
    "EXTERNAL": lambda _: External(),
    "PLAIN": lambda _: Plain(),
    "LOGIN": lambda _: Login(),
}

MECHANISMS: Final = tuple(_EXCHANGES)
"""In the order in which they are offered, the strongest first (RFC 4954 §4 leaves it to the server).

All of them only inside TLS: some show the password, and SCRAM in clear could be guessed at from a copy.
"""


def usable(
    mechanisms: Collection[str], *, scram: bool, binding: bool, tokens: bool, certificate: bool
) -> tuple[str, ...]:
    """Of `mechanisms`, those that can succeed on a connection, in the order in which they are offered.

    `scram`: keys are kept; `binding`: this connection has a channel binding that clients
    can be expected to choose; `tokens`: there is somebody who vouches for tokens;
    `certificate`: the client has shown one that names an address.
    """
    possible = {"PLAIN", "LOGIN"}
    if scram:
        possible |= {name for name in MECHANISMS if name.startswith("SCRAM-")}
    if not binding:
        possible = {name for name in possible if not name.endswith("-PLUS")}
    if tokens:
        possible |= {"OAUTHBEARER", "XOAUTH2"}
    if certificate:
        possible.add("EXTERNAL")
    return tuple(name for name in MECHANISMS if name in mechanisms and name in possible)


def takes_passwords(mechanisms: Collection[str]) -> bool:
    """Whether some of them show the password; LOGIN of IMAP and USER of POP3 go with these."""
    return "PLAIN" in mechanisms or "LOGIN" in mechanisms


def start_exchange(mechanism: str, surroundings: Surroundings | None = None) -> Exchange | None:
    """Return a fresh exchange of a mechanism, named in any case; None if it is not known.

    Then call `start` with the initial response, if the protocol carried one,
    and `respond` with each further response, until the outcome is no `Challenge`.
    """
    make = _EXCHANGES.get(mechanism.upper())
    return make(surroundings or Surroundings()) if make else None
