"""A connection ends, also when its peer would rather it did not."""

import asyncio
import socket

import pytest

from postroad.net import connection as module
from postroad.net.connection import Connection, Wake


@pytest.mark.parametrize(("linger", "waits"), [(0.01, False), (600, True)])
def test_a_peer_that_does_not_read_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, linger: float, waits: bool
) -> None:
    """After the time for last words; at once when the session has waited for it in vain."""
    monkeypatch.setattr(module, "LINGER_SECONDS", linger)

    async def talk(conn: Connection) -> None:
        conn.write(bytes(16 * 1024 * 1024))
        if waits:
            assert await conn.pump(conn.deadline(0.01)) is Wake.CLOSED

    async def work() -> None:
        lost = asyncio.Event()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Connection(talk, connection_id="c", on_lost=lambda _: lost.set()), "127.0.0.1", 0
        )
        with socket.socket() as peer:
            peer.setblocking(False)
            await loop.sock_connect(peer, server.sockets[0].getsockname())
            async with asyncio.timeout(20):
                await lost.wait()
        server.close()

    asyncio.run(work())
