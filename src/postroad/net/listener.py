"""From a listening socket to sessions: admission, implicit TLS, farewell, drain."""

import asyncio
import itertools
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from postroad.net.connection import Connection
from postroad.net.tls import ALPN, ServerTls
from postroad.obs.log import log
from postroad.obs.metrics import CONNECTIONS

HANDSHAKE_SECONDS: Final = 30.0


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
        self._empty = asyncio.Event()
        self._empty.set()

    async def listen(self, sock: socket.socket, service: Service) -> None:
        """Accept connections on a bound socket."""
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(lambda: self._connection(service), sock=sock))

    async def drain(self, grace: float) -> None:
        """Stop accepting, let every session finish what is under way, then cut the rest off."""
        for server in self._servers:
            server.close()
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

    def __len__(self) -> int:
        return len(self._open)

    def _connection(self, service: Service) -> Connection:
        return Connection(
            self._encrypted(service) if service.implicit_tls else service.session,
            connection_id=f"{self._name}-{next(self._numbers)}",
            on_connect=lambda connection: self._enter(connection, service),
            on_lost=self._leave,
            hold=service.implicit_tls,
        )

    def _encrypted(self, service: Service) -> Callable[[Connection], Awaitable[None]]:
        async def session(connection: Connection) -> None:
            # The handshake is part of the session, so that it counts towards the limits from its first octet.
            await connection.start_tls(self._tls.context, HANDSHAKE_SECONDS)
            spoken = connection.tls.alpn if connection.tls else ""
            if spoken not in ("", ALPN[service.protocol]):
                log.info("net.wrong_alpn", conn=connection.id, alpn=spoken)
                connection.abort()
                return
            await service.session(connection)

        return session

    def _enter(self, connection: Connection, service: Service) -> bytes | None:
        refusal = self._gate.enter(connection, connection.peer[0])
        if refusal is not None:
            CONNECTIONS.labels(service.protocol, "refused").inc()
            log.info("net.refused", conn=connection.id, address=connection.peer[0], limit=refusal.limit)
            return b"" if service.implicit_tls else service.farewell(refusal.public)
        CONNECTIONS.labels(service.protocol, "accepted").inc()
        self._open[connection] = service
        self._empty.clear()
        return None

    def _leave(self, connection: Connection) -> None:
        service = self._open.pop(connection, None)
        if service is None:
            return
        self._gate.leave(connection)
        if not self._open:
            self._empty.set()
