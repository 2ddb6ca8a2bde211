"""Sessions on loopback sockets: what a transcript cannot show."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from postroad.net.connection import Connection
from postroad.policy.limits import Limits
from postroad.smtp.server.services import Role
from postroad.smtp.server.session import SmtpSession
from tests.transcripts.tls import client_context, server_context
from tests.unit.smtp.office import Office


class Client:
    """A client that says lines and waits for replies."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, conn: Connection, end: asyncio.Event
    ) -> None:
        self.conn = conn
        self._reader = reader
        self._writer = writer
        self._end = end

    async def say(self, *lines: str) -> list[str]:
        """Send one line after the other, each when the reply before it is there; give the last lines."""
        return [await self.exchange(line.encode() + b"\r\n") for line in lines]

    async def exchange(self, octets: bytes) -> str:
        """Send octets; give the last line of one reply."""
        self.send(octets)
        return await self.reply()

    def send(self, octets: bytes) -> None:
        """Send octets and wait for nothing."""
        self._writer.write(octets)

    async def reply(self) -> str:
        """The last line of one reply; empty when the server has closed."""
        while line := await self._reader.readline():
            if line[3:4] == b" ":
                return line.decode().removesuffix("\r\n")
        return ""

    async def start_tls(self) -> None:
        """Begin the handshake."""
        await self._writer.start_tls(client_context(), server_hostname="localhost")

    async def finish(self) -> None:
        """Say that nothing more will come, and hear the server out."""
        try:
            self._writer.write_eof()
            await self._reader.read()
        except ConnectionError:
            pass  # the server had closed before all was sent
        await self._end.wait()

    async def leave(self) -> None:
        """Close, and wait until the session is over."""
        self._writer.close()
        await self._end.wait()

    async def ended(self) -> None:
        """Wait until the session is over by itself."""
        await self._end.wait()


@asynccontextmanager
async def connected(
    office: Office,
    *,
    role: Role = Role.EXCHANGE,
    tls: ssl.SSLContext | None = None,
    limits: Mapping[str, int] | None = None,
) -> AsyncIterator[Client]:
    """A client that has heard the greeting and said EHLO; `tls` from the first octet."""
    session = SmtpSession(
        acceptor=office,
        directory=office,
        store=office,
        clock=office,
        limits=msgspec.structs.replace(Limits(), **dict(limits or {})),
        role=role,
        hostname="mx.ours.test",
        tls_context=server_context(),
    )
    end = asyncio.Event()
    conns: list[Connection] = []

    async def run(conn: Connection) -> None:
        try:
            await session.run(conn)
        finally:
            end.set()

    def make() -> Connection:
        conns.append(Connection(run, connection_id="c1"))
        return conns[-1]

    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=client_context() if tls else None, server_hostname="localhost" if tls else None
    )
    client = Client(reader, writer, conns[0] if conns else await _first(conns), end)
    await client.reply()
    try:
        yield client
    finally:
        writer.close()
        await end.wait()
        server.close()
        await server.wait_closed()


async def _first(conns: list[Connection]) -> Connection:
    while not conns:
        await asyncio.sleep(0)
    return conns[0]


def office_in(folder: Path, *, room: int = 1 << 40, relay: bool = False) -> Office:
    """An empty office."""
    return Office(folder, relay=relay, room=room)
