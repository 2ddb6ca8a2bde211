"""A POP3 listener over a real store and directory, on loopback; one or several workers."""

import asyncio
import datetime
import poplib
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from postroad.config.certificate import certificate_files
from postroad.config.limits import Limits
from postroad.config.settings import defaults
from postroad.db.offline import prepare_data
from postroad.directory import accounts, credentials, domains
from postroad.directory.credentials import LEAST_COST, Hasher
from postroad.directory.directory import Directory
from postroad.net.clock import SystemClock
from postroad.net.connection import Connection
from postroad.net.tls import server_context
from postroad.pop3 import session
from postroad.store.account import Account
from postroad.store.offline import open_offline
from postroad.store.store import Store
from postroad.store.types import NewMessage

T = TypeVar("T")
USER: Final = "ada@demo.test"
PASSWORD: Final = "demo"
QUICK: Final = Limits(auth_delay=0.0, auth_per_minute_address=1000)


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker: its store and its listener."""

    store: Store
    port: int
    certificate: Path

    def account(self) -> Account:
        """Ada's mail."""
        return self.store.account(1)

    async def deliver(self, *bodies: bytes) -> list[int]:
        """Put messages into her INBOX; gives their UIDs."""
        inbox = self.account().mailbox("INBOX")
        assert inbox is not None
        return (await self.account().append(inbox.id, [NewMessage(body) for body in bodies]))[1]

    async def uids(self) -> list[int]:
        """What is in her INBOX."""
        inbox = self.account().mailbox("INBOX")
        assert inbox is not None
        return list((await self.account().listing(inbox.id)).uids)

    def log_in(self) -> poplib.POP3:
        """A client that has logged in after STLS; for a thread."""
        client = poplib.POP3("127.0.0.1", self.port, timeout=60)
        try:
            client.stls(self.trust())
            client.user(USER)
            client.pass_(PASSWORD)
        except poplib.error_proto:
            client.close()
            raise
        return client

    def trust(self) -> ssl.SSLContext:
        """A client's context that trusts the listener's certificate."""
        return ssl.create_default_context(cafile=str(self.certificate))

    async def client(self, work: Callable[[poplib.POP3], T]) -> T:
        """Run a client's work in a thread, from log-in to the closed socket."""
        return await asyncio.to_thread(self._work, work)

    def _work(self, work: Callable[[poplib.POP3], T]) -> T:
        client = self.log_in()
        try:
            return work(client)
        finally:
            client.close()


@asynccontextmanager
async def opened(
    data: Path, context: ssl.SSLContext | None, count: int = 1, limits: Limits = QUICK
) -> AsyncIterator[Sequence[session.Services]]:
    """What the sessions of `count` workers need, over one data directory with Ada's account."""
    _make_account(data)
    (data / "run").mkdir(exist_ok=True)
    made: list[tuple[Store, Directory]] = []
    try:
        for index in range(count):
            store = Store(data, SystemClock(), name=str(index))
            made.append(
                (store, Directory(store.database, SystemClock(), data, limits=limits, hash_cost=LEAST_COST))
            )
        tls = None if context is None else (lambda: context)
        yield [session.Services(store, directory, limits, data / "run", tls) for store, directory in made]
    finally:
        for store, directory in made:
            await directory.close()
            await store.close()


@asynccontextmanager
async def workers(data: Path, count: int = 1, limits: Limits = QUICK) -> AsyncIterator[Sequence[Worker]]:
    """Start `count` workers over one data directory, each with a listener."""
    settings = msgspec.structs.replace(defaults(data), hostname="localhost")
    files = certificate_files(settings, datetime.datetime.now(datetime.UTC))
    context = server_context(files.certificate, files.key)
    servers: list[asyncio.Server] = []
    connections: list[Connection] = []
    async with opened(data, context, count, limits) as all_services:
        try:
            running = []
            for services in all_services:
                server = await asyncio.get_running_loop().create_server(
                    partial(_connect, services, connections), "127.0.0.1", 0
                )
                servers.append(server)
                port = server.sockets[0].getsockname()[1]
                running.append(Worker(services.store, port, files.certificate))
            yield running
        finally:
            for server in servers:
                server.close()
            for connection in connections:
                connection.drain()
            while not all(connection.closed for connection in connections):
                await asyncio.sleep(0)


def _connect(services: session.Services, connections: list[Connection]) -> Connection:
    made = Connection(partial(session.serve, services=services), connection_id=f"test-{len(connections)}")
    connections.append(made)
    return made


def _make_account(data: Path) -> None:
    prepare_data(data)
    for name in ("packs", "bus"):
        (data / name).mkdir(exist_ok=True)
    with open_offline(data) as database:
        if database.read(lambda reader: accounts.by_key(reader, USER)):
            return
        hashed = Hasher(LEAST_COST).hash(PASSWORD, allow_weak=True)
        database.write(lambda tx: domains.add_domain(tx, "demo.test", who="test"))
        database.write(lambda tx: accounts.add_account(tx, USER, who="test"))
        database.write(lambda tx: credentials.set_password(tx, USER, hashed, who="test"))
