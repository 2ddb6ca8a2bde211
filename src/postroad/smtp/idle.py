"""Connections to other servers that are kept for a moment, for the next message."""

import asyncio
from typing import Final

from postroad.smtp.client import SmtpClient

IDLE_SECONDS: Final = 5.0
"""Long enough for the next message of a burst; servers think little of guests who only sit there."""
MOST: Final = 100


class IdleClients:
    """One idle connection for each host and address, each with its timer."""

    def __init__(self) -> None:
        self._idle: dict[tuple[str, str], tuple[SmtpClient, asyncio.TimerHandle]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def keep(self, client: SmtpClient) -> None:
        """Keep a connection that has just done its work, or close it."""
        key = client.host, client.address
        if not client.open_for_more or key in self._idle or len(self._idle) >= MOST:
            self._close(client)
            return
        timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._expire, key)
        self._idle[key] = client, timer

    def take(self, host: str, address: str) -> SmtpClient | None:
        """A connection that is still open; it is the caller's then."""
        kept = self._idle.pop((host, address), None)
        if kept is None:
            return None
        client, timer = kept
        timer.cancel()
        if client.open_for_more:
            return client
        self._close(client)
        return None

    async def close(self) -> None:
        """Say goodbye to all of them."""
        for key in list(self._idle):
            self._expire(key)
        await asyncio.gather(*self._closing)

    def _expire(self, key: tuple[str, str]) -> None:
        client, timer = self._idle.pop(key)
        timer.cancel()
        self._close(client)

    def _close(self, client: SmtpClient) -> None:
        task = asyncio.create_task(client.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
