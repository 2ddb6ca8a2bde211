"""Which mechanisms there are, and how an exchange begins."""

from collections.abc import Callable
from typing import Final

from postroad.sasl.login import Login
from postroad.sasl.outcome import Challenge, Exchange, Failed, Outcome, Password
from postroad.sasl.plain import Plain

__all__ = ["MECHANISMS", "Challenge", "Exchange", "Failed", "Outcome", "Password", "start_exchange"]

_EXCHANGES: Final[dict[str, Callable[[], Exchange]]] = {"PLAIN": Plain, "LOGIN": Login}

MECHANISMS: Final = tuple(_EXCHANGES)
"""In the order in which they are offered. All of them show the password, so: inside TLS alone."""


def start_exchange(mechanism: str) -> Exchange | None:
    """Return a fresh exchange of a mechanism, named in any case; None if it is not known.

    Then call `start` with the initial response, if the protocol carried one,
    and `respond` with each further response, until the outcome is no `Challenge`.
    """
    make = _EXCHANGES.get(mechanism.upper())
    return make() if make else None
