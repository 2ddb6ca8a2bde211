"""What a load needs to know of a server, whoever made it."""

import ssl
from typing import Protocol


class Ports(Protocol):
    """Where mail is taken and where it is read."""

    @property
    def smtp(self) -> int: ...
    @property
    def imaps(self) -> int: ...


class Target(Protocol):
    """A mail server whose accounts have the password of the tests."""

    @property
    def ports(self) -> Ports: ...
    def tls_context(self) -> ssl.SSLContext: ...
