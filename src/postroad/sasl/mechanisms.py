"""Which mechanisms there are."""

from collections.abc import Callable
from typing import Final

from postroad.sasl.exchange import Exchange
from postroad.sasl.login import Login
from postroad.sasl.plain import Plain

MECHANISMS: Final[dict[str, Callable[[], Exchange]]] = {"PLAIN": Plain, "LOGIN": Login}
"""In the order in which they are offered. All of them show the password, so: inside TLS alone."""
