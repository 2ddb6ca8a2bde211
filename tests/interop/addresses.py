"""Addresses and ports that nobody else on this machine is using."""

import errno
import os
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from random import SystemRandom
from typing import Final

_CHANCE: Final = SystemRandom()
"""Not the seeded one: two runs of the tests at once would draw the same ports."""

_SHARES: Final = 16
_SHARE: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
"""Processes of one run draw from ports of their own: what one has drawn is free until its server listens."""

_RECENT: Final[deque[int]] = deque(maxlen=500)
"""Drawn before by this process: who got them may not have bound them yet."""


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Ports that were free a moment ago, all different.

    Below those that the system gives to outgoing connections: a server that
    is down for a moment would find one of them on its port.
    """
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            port = _CHANCE.randrange(10_000 + _SHARE, 32_000, _SHARES)
            if port in _RECENT:
                continue
            try:
                held.enter_context(socket.socket()).bind((address, port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            found.append(port)
            _RECENT.append(port)
    return found


def _loopback_addresses() -> Iterator[str]:
    while True:
        yield f"127.{_CHANCE.randint(64, 127)}.{_CHANCE.randint(1, 254)}.{_CHANCE.randint(1, 254)}"


def loopback_address(port: int) -> str:
    """An address in 127/8 of our own, with this (low) port free.

    Mail exchangers are found on port 25 and name servers on port 53, so each of
    them gets an address instead of a port. Whether it is free can only be seen
    as root; elsewhere a random address has to do.
    """
    for address in _loopback_addresses():
        with socket.socket() as probe:
            try:
                probe.bind((address, port))
            except PermissionError:
                return address
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
            return address
    raise AssertionError("unreachable")
