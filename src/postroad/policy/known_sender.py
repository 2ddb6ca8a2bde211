"""Whether a stranger can be answered: does its connection come from the servers of the domain it writes as.

Anybody can write any address into MAIL. What is sent back to it without need
(a receipt, RFC 3461 §5.2.3) would reach people who have never written to us,
unless it goes to the very machine that has asked for it.
"""

import asyncio
import random
from typing import Final

from postroad.dns.route import Route, find_route
from postroad.model.address import Address
from postroad.model.resolver import Resolver

PATIENCE: Final = 10.0
"""Seconds in which the DNS has to say so."""


class KnownSenders:
    """Looks whether mail for a sender would go back to where it came from."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def answers_at(self, sender: Address, address: str) -> bool:
        """Whether `address` is one of the mail servers of the sender's domain."""
        try:
            async with asyncio.timeout(PATIENCE):
                # Nothing is connected to, so private addresses are as good as others.
                way = await find_route(
                    self._resolver,
                    sender.domain,
                    own_names=(),
                    chance=random.Random(0),  # noqa: S311 - the order does not matter here
                    allow_private=True,
                )
        except TimeoutError:
            return False
        return isinstance(way, Route) and any(address in host.addresses for host in way.hosts)
