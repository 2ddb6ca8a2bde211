"""Small answers leave at once: no listener waits for Nagle's algorithm."""

import asyncio
import socket
from collections.abc import Callable

import pytest
import uvloop

from postroad.net.sockets import open_sockets


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_an_accepted_connection_sends_at_once(factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def accepted() -> int:
        connected: asyncio.Future[asyncio.BaseTransport] = asyncio.get_running_loop().create_future()

        class Peer(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                connected.set_result(transport)

        (listening,) = open_sockets("127.0.0.1", 0, 1)
        server = await asyncio.get_running_loop().create_server(Peer, sock=listening)
        async with server:
            with socket.create_connection(listening.getsockname()):
                transport = await connected
                delayless: int = transport.get_extra_info("socket").getsockopt(
                    socket.IPPROTO_TCP, socket.TCP_NODELAY
                )
                transport.close()
        return delayless

    with asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(accepted())
