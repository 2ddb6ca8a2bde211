"""A connection ends, also when its peer would rather it did not."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable

import pytest
import uvloop

from postroad.net import connection as module
from postroad.net.connection import Connection
from postroad.net.core import Early
from postroad.net.wake import Wake
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

        def get_write_buffer_size(self) -> int:
            return 0

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


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_much_that_comes_with_the_end_of_the_handshake_is_all_read(
    loop_factory: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """More than is taken at once, before the session knows that TLS is on."""
    much = 8 * module.READ_HIGH_WATER
    taken = 0

    async def talk(conn: Connection) -> None:
        nonlocal taken
        conn.attach(core := Early())
        await conn.start_tls(certificate.server_tls("mx.test"))
        while taken < much and await conn.pump(conn.deadline(20)) is Wake.DATA:
            taken += core.buffered()
            core.held.clear()

    def send(address: tuple[str, int]) -> None:
        with socket.create_connection(address, 20) as clear:
            clear.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
            with certificate.client_context("mx.test").wrap_socket(clear, server_hostname="mx.test") as peer:
                peer.sendall(bytes(much))
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
                assert peer.recv(1) == b""

    async def be_busy() -> None:
        while True:
            time.sleep(0.05)
            await asyncio.sleep(0)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(talk, connection_id="c"), "127.0.0.1", 0)
        busy = loop.create_task(be_busy())
        await asyncio.to_thread(send, server.sockets[0].getsockname())
        busy.cancel()
        server.close()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(work())
    assert taken == much


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("octets", [100, 16 * 1024 * 1024])
def test_a_server_that_stops_waits_until_all_is_heard_and_not_for_the_peers_end_of_tls(
    loop_factory: Callable[[], asyncio.AbstractEventLoop], octets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SEE_OFF_SECONDS", 0.01)

    async def talk(conn: Connection) -> None:
        conn.write(bytes(octets))

    def connect(port: int) -> ssl.SSLSocket:
        context = certificate.client_context("mx.test")
        peer = socket.create_connection(("127.0.0.1", port), timeout=20)
        return context.wrap_socket(peer, server_hostname="mx.test", suppress_ragged_eofs=False)

    async def work() -> None:
        opened: list[Connection] = []
        lost = asyncio.Event()

        def accept() -> Connection:
            opened.append(Connection(talk, connection_id="c", on_lost=lambda _: lost.set()))
            return opened[0]

        tls = certificate.server_tls("mx.test")
        server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0, ssl=tls)
        peer = await asyncio.to_thread(connect, server.sockets[0].getsockname()[1])
        while not opened or opened[0].closed:
            await asyncio.sleep(0)
        opened[0].drain()
        if octets > module.WRITE_HIGH_WATER:
            await asyncio.sleep(0.1)
            assert not lost.is_set()
            left = octets
            while left:
                left -= len(await asyncio.to_thread(peer.recv, left))
        async with asyncio.timeout(20):
            await lost.wait()
        peer.close()
        server.close()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(work())
