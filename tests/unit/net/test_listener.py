"""The listener counts out whom it counted in, however the handshake ends."""

import asyncio
import socket
from datetime import UTC, datetime
from pathlib import Path

from postroad.config.certificate import certificate_files
from postroad.config.settings import Settings
from postroad.model.crowd import Crowd
from postroad.net.connection import Connection
from postroad.net.listener import Front, Service
from postroad.net.tls import ServerTls


class Narrow:
    """Room for one: the one before has to go, at once."""

    def __init__(self) -> None:
        self.front: Front | None = None
        self.inside: list[Connection] = []
        self.entered = 0
        self.full = asyncio.Event()

    def enter(self, connection: Connection, address: str, crowd: Crowd) -> None:
        self.entered += 1
        assert self.front is not None
        for other in list(self.inside):
            self.front.drop(other)
        self.inside.append(connection)
        if self.entered == 2:
            self.full.set()

    def leave(self, connection: Connection) -> None:
        self.inside.remove(connection)


def tls(data: Path) -> ServerTls:
    files = certificate_files(Settings(hostname="mx.test", data=data), datetime.now(UTC))
    return ServerTls(files.certificate, files.key)


async def nothing(_: Connection) -> None:
    """No session gets this far."""


def test_who_is_dropped_before_the_handshake_begins_is_forgotten(tmp_path: Path) -> None:
    async def work() -> None:
        gate = Narrow()
        front = gate.front = Front(gate, tls(tmp_path), name="w0")
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        address = listening.getsockname()
        with socket.create_connection(address) as first, socket.create_connection(address) as second:
            service = Service("imap", nothing, lambda _: b"", implicit_tls=True)
            await front.listen(listening, service)  # both are waiting in the backlog
            async with asyncio.timeout(20):
                await gate.full.wait()
                first.setblocking(False)
                assert await asyncio.get_running_loop().sock_recv(first, 1) == b""
            assert len(front) == len(gate.inside) == 1
            await front.drain(0)
            assert second.fileno() >= 0
        assert len(front) == 0
        assert gate.inside == []

    asyncio.run(work())


class Broken(Narrow):
    """A gate with a bug, which the first to come meets."""

    def enter(self, connection: Connection, address: str, crowd: Crowd) -> None:
        if not self.entered:
            self.entered = 1
            raise RuntimeError("a bug")
        super().enter(connection, address, crowd)


def test_one_that_meets_a_bug_is_not_the_last_to_be_taken(tmp_path: Path) -> None:
    async def work() -> None:
        gate = Broken()
        front = gate.front = Front(gate, tls(tmp_path), name="w0")
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        address = listening.getsockname()
        with socket.create_connection(address) as first, socket.create_connection(address):
            await front.listen(listening, Service("imap", nothing, lambda _: b"", implicit_tls=True))
            async with asyncio.timeout(20):
                await gate.full.wait()
                first.setblocking(False)
                assert await asyncio.get_running_loop().sock_recv(first, 1) == b""
            await front.drain(0)

    asyncio.run(work())
