"""From a listening socket to sessions: admission, implicit TLS, farewell, drain."""

import asyncio
import itertools
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from postroad.net.connection import Connection
from postroad.net.sockets import BACKLOG
from postroad.net.tls import ALPN, ServerTls
from postroad.obs.log import log
from postroad.obs.metrics import CONNECTIONS

HANDSHAKE_SECONDS: Final = 30.0
ACCEPT_PAUSE: Final = 0.1


class Refusal(Protocol):
    """Why a connection is not let in (see `policy.shared_counts`)."""

    @property
    def limit(self) -> str: ...

    @property
    def public(self) -> str: ...


class Gate(Protocol):
    """Who may connect; counts over all workers (see `policy.gate`)."""

    def enter(self, connection: Connection, address: str) -> Refusal | None:
        """Count a connection in, or say why it is not let in."""
        ...

    def leave(self, connection: Connection) -> None:
        """Count it out."""
        ...


@dataclass(frozen=True, slots=True)
class Service:
    """What is spoken at a listener."""

    protocol: str
    """For metrics and log: smtp, submission, imap, pop3."""
    session: Callable[[Connection], Awaitable[None]]
    farewell: Callable[[str], bytes]
    """How the protocol says that a connection is not welcome."""
    implicit_tls: bool


class Front:
    """All connections of one worker."""

    def __init__(self, gate: Gate, tls: ServerTls, *, name: str) -> None:
        self._gate = gate
        self._tls = tls
        self._name = name
        self._numbers = itertools.count(1)
        self._open: dict[Connection, Service] = {}
        self._servers: list[asyncio.Server] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._handshakes: dict[Connection, asyncio.Task[None]] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    async def listen(self, sock: socket.socket, service: Service) -> None:
        """Accept connections on a bound socket."""
        loop = asyncio.get_running_loop()
        if service.implicit_tls:
            accepting = loop.create_task(self._accept_tls(sock, service))
            accepting.add_done_callback(lambda _: sock.close())
            self._accepting.append(accepting)
        else:
            server = await loop.create_server(lambda: self._plain(service), sock=sock, backlog=BACKLOG)
            self._servers.append(server)

    async def drain(self, grace: float) -> None:
        """Stop accepting, let every session finish what is under way, then cut the rest off."""
        for server in self._servers:
            server.close()
        for task in (*self._accepting, *self._handshakes.values()):
            task.cancel()
        for connection in list(self._open):
            connection.drain()
        try:
            async with asyncio.timeout(grace):
                await self._empty.wait()
        except TimeoutError:
            log.warning("net.cut_off", connections=len(self._open))
            for connection in list(self._open):
                connection.abort()
            await asyncio.sleep(0)

    def drop(self, connection: Connection) -> None:
        """Close a connection at once, in the middle of its handshake too."""
        handshake = self._handshakes.get(connection)
        if handshake is None or not handshake.cancel():
            connection.abort()

    def logged_in(self) -> Iterator[tuple[Connection, int]]:
        """Every connection of a user, with the account."""
        for connection in list(self._open):
            if connection.account_id is not None:
                yield connection, connection.account_id

    def __len__(self) -> int:
        return len(self._open)

    # -- in clear ----------------------------------------------------------

    def _plain(self, service: Service) -> Connection:
        return self._connection(service, lambda connection: self._enter(connection, service))

    def _enter(self, connection: Connection, service: Service) -> bytes | None:
        refusal = self._admit(connection, service, connection.peer[0])
        if refusal is not None:
            return service.farewell(refusal.public)
        self._keep(connection, service)
        return None

    # -- TLS from the first octet -------------------------------------------

    async def _accept_tls(self, sock: socket.socket, service: Service) -> None:
        """Accept by hand, so that a connection is counted before its handshake and not only after it."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, address = await loop.sock_accept(sock)
            except OSError as error:
                log.warning("net.accept_failed", protocol=service.protocol, error=str(error))
                await asyncio.sleep(ACCEPT_PAUSE)  # out of descriptors: waiting beats spinning
                continue
            connection = self._connection(service, lambda _: None)
            refusal = self._admit(connection, service, address[0].removeprefix("::ffff:"))
            if refusal is not None:
                client.close()  # nothing can be said before the handshake
                continue
            self._keep(connection, service)
            handshake = loop.create_task(self._handshake(client, connection, service))
            self._handshakes[connection] = handshake
            # Not within the task: one that is cancelled before its first step never runs.
            handshake.add_done_callback(partial(self._handshaken, client, connection))

    async def _handshake(self, client: socket.socket, connection: Connection, service: Service) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: connection,
            client,
            ssl=self._tls.context_for(service.protocol),
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
        )

    def _handshaken(self, client: socket.socket, connection: Connection, task: asyncio.Task[None]) -> None:
        del self._handshakes[connection]
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None:
            log.info("net.handshake_failed", conn=connection.id, error=str(error) or type(error).__name__)
            client.close()
            self._leave(connection)

    # -- both ----------------------------------------------------------------

    def _connection(self, service: Service, on_connect: Callable[[Connection], bytes | None]) -> Connection:
        return Connection(
            service.session,
            connection_id=f"{self._name}-{next(self._numbers)}",
            alpn=ALPN[service.protocol],
            on_connect=on_connect,
            on_lost=self._leave,
        )

    def _admit(self, connection: Connection, service: Service, address: str) -> Refusal | None:
        refusal = self._gate.enter(connection, address)
        CONNECTIONS.labels(service.protocol, "refused" if refusal else "accepted").inc()
        if refusal is not None:
            log.info("net.refused", conn=connection.id, address=address, limit=refusal.limit)
        return refusal

    def _keep(self, connection: Connection, service: Service) -> None:
        self._open[connection] = service
        self._empty.clear()

    def _leave(self, connection: Connection) -> None:
        if self._open.pop(connection, None) is None:
            return
        self._gate.leave(connection)
        if not self._open:
            self._empty.set()
