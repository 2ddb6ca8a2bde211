"""A connection ends, also when its peer would rather it did not."""

import asyncio
import socket

import pytest

from postroad.net import connection as module
from postroad.net.connection import Connection, Wake
from postroad.testing import certificate


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


def test_so_is_one_with_tls_whose_session_has_closed_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the session closes it again; it can be aborted all the same."""
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.01)

    async def talk(conn: Connection) -> None:
        conn.write(bytes(16 * 1024 * 1024))
        conn.close()

    async def work() -> None:
        lost = asyncio.Event()
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(talk, connection_id="c", on_lost=lambda _: lost.set()),
            "127.0.0.1",
            0,
            ssl=certificate.server_tls("mx.test"),
        )
        host, port = server.sockets[0].getsockname()
        _, writer = await asyncio.open_connection(
            host, port, ssl=certificate.client_context("mx.test"), limit=1
        )
        async with asyncio.timeout(20):
            await lost.wait()
        writer.transport.abort()
        server.close()

    asyncio.run(work())


def test_a_peer_far_ahead_is_not_read_although_its_session_waits_for_it() -> None:
    class Core:
        held = 0

        def receive(self, data: bytes) -> None:
            self.held += len(data)

        def data_to_send(self) -> bytes:
            return b""

        def buffered(self) -> int:
            return self.held

    class Transport(asyncio.Transport):
        pauses = 0

        def pause_reading(self) -> None:
            self.pauses += 1

        def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
            pass

        def is_closing(self) -> bool:
            return True

    async def talk(conn: Connection) -> None:
        conn.attach(Core())
        assert await conn.pump(conn.deadline(60)) is Wake.DATA

    async def work() -> None:
        conn, transport = Connection(talk, connection_id="c"), Transport()
        conn.connection_made(transport)
        await asyncio.sleep(0)
        conn.data_received(bytes(module.READ_HIGH_WATER))
        before = transport.pauses
        conn.data_received(b"one more")
        assert (before, transport.pauses) == (0, 1)
        conn.connection_lost(None)
        await asyncio.sleep(0)

    asyncio.run(work())
