"""A real IMAP server over a real store on loopback, and a client that speaks raw lines."""

import asyncio
import datetime
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from postroad.config.certificate import certificate_files
from postroad.config.limits import Limits
from postroad.config.settings import Settings
from postroad.db.offline import prepare_data
from postroad.directory.accounts import add_account
from postroad.directory.credentials import LEAST_COST, Hasher, set_password
from postroad.directory.directory import Directory
from postroad.directory.domains import add_domain
from postroad.imap.session import ImapSession
from postroad.net.clock import SystemClock
from postroad.net.connection import Connection
from postroad.net.tls import server_context
from postroad.policy import counts_file
from postroad.policy.shared_counts import SharedCounts
from postroad.store.account import Account
from postroad.store.offline import open_offline
from postroad.store.store import Store
from postroad.store.types import NewMessage

T = TypeVar("T")

USER, PASSWORD = "ada@demo.test", "correct horse"


def message(subject: str = "hello", body: str = "Hi.\r\n", **fields: str) -> bytes:
    """A small message; keywords are further fields."""
    lines = {"From": "Bob <bob@demo.test>", "Subject": subject, **fields}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    return f"{head}\r\n{body}".encode()


class Client:
    """A client that sends what it is told and reads responses up to a tagged one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._count = 0

    async def send(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def line(self) -> bytes:
        """One response, with the literals in it."""
        line = await self.reader.readuntil(b"\r\n")
        while line.endswith(b"}\r\n"):
            size = int(line[line.rindex(b"{") + 1 : -3])
            line += await self.reader.readexactly(size)
            line += await self.reader.readuntil(b"\r\n")
        return line[:-2]

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        return await self.reader.read()

    async def until(self, tag: bytes) -> list[bytes]:
        lines = [await self.line()]
        while not lines[-1].startswith(tag + b" "):
            lines.append(await self.line())
        return lines

    async def do(self, command: bytes) -> list[bytes]:
        """Send a command; give the responses, the tagged one last and without its tag."""
        self._count += 1
        tag = b"t%d" % self._count
        await self.send(tag + b" " + command + b"\r\n")
        lines = await self.until(tag)
        lines[-1] = lines[-1][len(tag) + 1 :]
        return lines

    async def ok(self, command: bytes) -> list[bytes]:
        """The same, and it has to succeed; gives the untagged responses without `* `."""
        lines = await self.do(command)
        assert lines[-1].startswith(b"OK"), lines
        return [line.removeprefix(b"* ") for line in lines[:-1]]

    async def login(self) -> "Client":
        await self.ok(b'LOGIN %b "%b"' % (USER.encode(), PASSWORD.encode()))
        return self

    async def append(self, octets: bytes, mailbox: bytes = b"INBOX", flags: bytes = b"") -> bytes:
        """File a message with a non-synchronising literal; gives the tagged response."""
        flags = b" (%b)" % flags if flags else b""
        return (await self.do(b"APPEND %b%b {%d+}\r\n%b" % (mailbox, flags, len(octets), octets)))[-1]


class Server:
    """One worker's IMAP: in clear with STARTTLS, and under TLS."""

    def __init__(self, world: "World", store: Store, clear: asyncio.Server, tls: asyncio.Server) -> None:
        self.world = world
        self.store = store
        self.connections: list[Connection] = []
        self._ports = {False: _port(clear), True: _port(tls)}

    @property
    def account(self) -> Account:
        return self.store.account(self.world.account_id)

    async def inbox(self, *bodies: bytes, flags: int = 0) -> None:
        """File messages in INBOX behind the sessions' backs."""
        inbox = self.account.mailbox("INBOX")
        assert inbox is not None
        await self.account.append(inbox.id, [NewMessage(body, flags) for body in bodies])

    @asynccontextmanager
    async def connect(self, *, tls: bool = True) -> AsyncIterator[Client]:
        """A client that has read the greeting."""
        context = trusting() if tls else None
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._ports[tls], ssl=context, limit=1 << 26
        )
        try:
            client = Client(reader, writer)
            assert (await client.line()).startswith(b"* OK [CAPABILITY IMAP4rev1")
            yield client
        finally:
            writer.close()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A client that has logged in."""
        async with self.connect() as client:
            yield await client.login()

    @property
    def tls_port(self) -> int:
        return self._ports[True]


class World:
    """A data directory with the account ada@demo.test."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.limits = Limits(auth_delay=0)
        prepare_data(self.data)
        with open_offline(self.data) as database:
            database.write(lambda tx: add_domain(tx, "demo.test", who="test"))
            self.account_id = database.write(lambda tx: add_account(tx, USER, who="test")).id
            hashed = Hasher(LEAST_COST).hash(PASSWORD)
            database.write(lambda tx: set_password(tx, USER, hashed, who="test"))
        counts_file.create(self.data / "counts", 2)

    def limit(self, **numbers: int | tuple[str, ...]) -> None:
        """Set limits for servers that start from now on."""
        self.limits = replace(self.limits, **numbers)

    @asynccontextmanager
    async def server(self, worker: int = 0) -> AsyncIterator[Server]:
        clock = SystemClock()
        store = Store(self.data, clock, name=f"w{worker}", limits=self.limits)
        directory = Directory(store.database, clock, self.data, limits=self.limits, hash_cost=LEAST_COST)
        counts = SharedCounts(self.data / "counts", worker, self.limits, clock)
        settings = Settings(hostname="localhost", data=self.data)
        files = certificate_files(settings, datetime.datetime.now(datetime.UTC))
        context = server_context(files.certificate, files.key)
        session = ImapSession(
            store=store,
            directory=directory,
            clock=clock,
            limits=self.limits,
            hostname="localhost",
            tls_context=context,
            counts=counts,
        )

        def connection() -> Connection:
            made = Connection(session.run, connection_id=f"c{len(server.connections)}")
            server.connections.append(made)
            return made

        loop = asyncio.get_running_loop()
        clear = await loop.create_server(connection, "127.0.0.1", 0)
        tls = await loop.create_server(connection, "127.0.0.1", 0, ssl=context)
        server = Server(self, store, clear, tls)
        try:
            yield server
        finally:
            clear.close()
            tls.close()
            for made in server.connections:
                made.abort()
            while any(not made.closed for made in server.connections):
                await asyncio.sleep(0)
            await directory.close()
            await store.close()
            counts.close()

    def run(self, work: Callable[[Server], Awaitable[T]]) -> T:
        """Run `work` with one server."""

        async def served() -> T:
            async with self.server() as server:
                return await work(server)

        return asyncio.run(served())

    def talk(self, work: Callable[[Server, Client], Awaitable[T]]) -> T:
        """Run `work` with one server and one client that has logged in."""

        async def talked(server: Server) -> T:
            async with server.client() as client:
                return await work(server, client)

        return self.run(talked)


def trusting() -> ssl.SSLContext:
    """A client's context that takes the self-signed certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _port(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port
