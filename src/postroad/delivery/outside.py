"""How the world is reached: at which ports, how patiently, and whose word counts for certificates."""

import ssl
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from postroad.smtp.security import verifying_context
from postroad.smtp.timeouts import Timeouts

SMTP_PORT: Final = 25
HTTPS_PORT: Final = 443


def _at_smtp_port(_address: str) -> int:
    return SMTP_PORT


def _at_https_port(_address: str) -> int:
    return HTTPS_PORT


class Outside(Struct, frozen=True):
    """The world as servers see it that are at other ports, or have to answer sooner (tests)."""

    port: Callable[[str], int] = _at_smtp_port
    """The SMTP port of an address."""
    timeouts: Timeouts = Timeouts()
    trust: Callable[[], ssl.SSLContext] = verifying_context
    """What certificates are verified with, those of mail servers and of web servers."""
    https_port: Callable[[str], int] = _at_https_port
    """The port of web servers at an address."""
