"""Connections to other servers that are kept for a moment, for the next message."""

import asyncio
from collections import defaultdict
from typing import Final, TypeAlias

from postroad.smtp.client import SmtpClient

IDLE_SECONDS: Final = 5.0
"""Long enough for the next message of a burst; servers think little of guests who only sit there."""
MESSAGES: Final = 100
"""Through one connection; many servers end it at some number, and a new one finds another host."""
MOST: Final = 200

_Key: TypeAlias = tuple[str, str, str]


class IdleClients:
    """Idle connections by host, address and how they are secured."""

    def __init__(self) -> None:
        self._idle: defaultdict[_Key, dict[SmtpClient, None]] = defaultdict(dict)
        # In the order in which they were kept: the first one is the first whose time is over.
        self._keys: dict[SmtpClient, tuple[_Key, float]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def keep(self, client: SmtpClient, security: str = "") -> None:
        """Keep a connection that has just done its work, or close it.

        `security` tells apart what must not be taken for one another.
        """
        if not client.open_for_more or client.messages >= MESSAGES or len(self._keys) >= MOST:
            self._close(client)
            return
        loop = asyncio.get_running_loop()
        key = client.host, client.address, security
        self._idle[key][client] = None
        self._keys[client] = key, loop.time() + IDLE_SECONDS
        if self._timer is None:
            self._timer = loop.call_later(IDLE_SECONDS, self._expire)

    def take(self, host: str, address: str, security: str = "") -> SmtpClient | None:
        """A connection that is still open, the one used last; it is the caller's then."""
        kept = self._idle.get((host, address, security))
        while kept:
            client = next(reversed(kept))
            self._remove(client)
            if client.open_for_more:
                return client
            self._close(client)
        return None

    async def close(self) -> None:
        """Say goodbye to all of them."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for client in list(self._keys):
            self._remove(client)
            self._close(client)
        await asyncio.gather(*self._closing)

    def _remove(self, client: SmtpClient) -> None:
        key, _ = self._keys.pop(client)
        del self._idle[key][client]
        if not self._idle[key]:
            del self._idle[key]

    def _expire(self) -> None:
        """Close those whose time is over, and come back for the next one."""
        loop, self._timer = asyncio.get_running_loop(), None
        for client, (_, until) in list(self._keys.items()):
            if until > loop.time():
                self._timer = loop.call_at(until, self._expire)
                return
            self._remove(client)
            self._close(client)

    def _close(self, client: SmtpClient) -> None:
        task = asyncio.create_task(client.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
