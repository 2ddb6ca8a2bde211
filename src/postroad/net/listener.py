"""From a listening socket to sessions: admission, implicit TLS, farewell, drain."""

import asyncio
import itertools
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from postroad.model.crowd import AS_LIMITS_SAY, Crowd
from postroad.model.networks import NOBODY, Networks
from postroad.net.alerts import sending_alerts
from postroad.net.balance import Balance
from postroad.net.connection import Connection
from postroad.net.proxy import PATIENCE, BadHeader, Header, Silent, receive_header
from postroad.net.sockets import BACKLOG
from postroad.net.tls import ALPN, ServerTls
from postroad.obs.log import log
from postroad.obs.metrics import CAME_IN, CONNECTIONS

HANDSHAKE_SECONDS: Final = 30.0
FAREWELL_SECONDS: Final = 0.5
"""What sessions have to say goodbye whose peers are in the middle of something when the time is up."""
ACCEPT_PAUSE: Final = 0.1


class Refusal(Protocol):
    """Why a connection is not let in (see `policy.shared_counts`)."""

    @property
    def limit(self) -> str: ...

    @property
    def public(self) -> str: ...


class Gate(Protocol):
    """Who may connect; counts over all workers (see `policy.gate`)."""

    def enter(self, connection: Connection, address: str, crowd: Crowd) -> Refusal | None:
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
    proxies: Networks = NOBODY
    """Addresses whose connections begin with a PROXY header."""
    crowd: Crowd = AS_LIMITS_SAY
    """How many connections one address may have here."""


class Front:
    """All connections of one worker."""

    def __init__(
        self,
        gate: Gate,
        tls: ServerTls,
        *,
        name: str,
        on_refused: Callable[[str, str], None] = lambda _address, _reason: None,
        balance: Balance | None = None,
    ) -> None:
        """`on_refused` is told of each address that is not let in, and why.

        Without `balance` every connection stays where the kernel has put it.
        """
        self._balance = balance
        self._services: list[Service] = []
        self._gate = gate
        self._on_refused = on_refused
        self._tls = tls
        self._name = name
        self._numbers = itertools.count(1)
        self._open: dict[Connection, Service] = {}
        self._servers: list[asyncio.Server] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._introductions: set[asyncio.Task[None]] = set()
        self._handshakes: dict[Connection, asyncio.Task[None]] = {}
        self._empty = asyncio.Event()
        self._empty.set()

    async def listen(self, sock: socket.socket, service: Service) -> None:
        """Accept connections on a bound socket; all workers do so for their listeners in one order."""
        loop = asyncio.get_running_loop()
        number = len(self._services)
        self._services.append(service)
        if service.implicit_tls or service.proxies:
            accepting = loop.create_task(self._accept(sock, service, number))
            accepting.add_done_callback(lambda _: sock.close())
            self._accepting.append(accepting)
        elif sock.family == socket.AF_UNIX:
            self._servers.append(
                await loop.create_unix_server(lambda: self._plain(service), sock=sock, backlog=BACKLOG)
            )
        else:
            server = await loop.create_server(
                lambda: self._plain(service, number=number), sock=sock, backlog=BACKLOG
            )
            self._servers.append(server)

    def hear_others(self) -> None:
        """Go on with what other workers hand on from now on; what they did before has waited.

        Called when all listeners are there, for a connection comes with the number of one.
        """
        if self._balance is not None:
            asyncio.get_running_loop().add_reader(self._balance.fileno(), self._take_over)

    async def drain(self, grace: float) -> None:
        """Stop accepting, let every session finish what is under way, then say goodbye to the rest."""
        if self._balance is not None:
            asyncio.get_running_loop().remove_reader(self._balance.fileno())
            for _, handed in self._balance.handed():
                handed.close()  # as are those that wait in the backlog
        for server in self._servers:
            server.close()
        for task in (*self._accepting, *self._introductions, *self._handshakes.values()):
            task.cancel()
        for last_call, seconds in ((False, grace), (True, FAREWELL_SECONDS)):
            for connection in list(self._open):
                connection.drain(last_call=last_call)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._empty.wait()
        if self._open:
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

    def _plain(self, service: Service, told: Header | None = None, number: int | None = None) -> Connection:
        """With the `number` of its listener it may go on to another worker."""
        return self._connection(service, lambda connection: self._enter(connection, service, number), told)

    def _enter(self, connection: Connection, service: Service, number: int | None) -> bytes | None:
        balance = self._balance
        if number is not None and balance is not None and balance.hand_on(connection.fileno, number):
            return b""  # our descriptor is closed, and the peer notices nothing
        refusal = self._admit(connection, service, connection.peer[0])
        if refusal is not None:
            return service.farewell(refusal.public)
        self._keep(connection, service)
        return None

    def _take_over(self) -> None:
        """Go on with connections that other workers have handed to this one."""
        assert self._balance is not None
        for number, client in self._balance.handed():
            client.setblocking(False)
            begun = asyncio.get_running_loop().create_task(
                self._begin_by_hand(client, self._services[number])
            )
            self._introductions.add(begun)
            begun.add_done_callback(self._introductions.discard)

    # -- accepted by hand: behind a proxy, and TLS from the first octet -------

    async def _accept(self, sock: socket.socket, service: Service, number: int) -> None:
        """Accept by hand: a proxy is heard out first, and a connection is counted before its handshake."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, address = await loop.sock_accept(sock)
            except OSError as error:
                log.warning("net.accept_failed", protocol=service.protocol, error=str(error))
                await asyncio.sleep(ACCEPT_PAUSE)  # out of descriptors: waiting beats spinning
                continue
            peer = address[0].removeprefix("::ffff:") if address else ""  # a Unix socket has none
            if peer in service.proxies:
                introduction = loop.create_task(self._introduce(client, peer, service))
                self._introductions.add(introduction)
                introduction.add_done_callback(self._introductions.discard)
            elif self._balance is not None and peer and self._balance.hand_on(client.fileno, number):
                client.close()  # our descriptor of it
            else:
                await self._begin_by_hand(client, service, peer)

    async def _begin_by_hand(
        self, client: socket.socket, service: Service, address: str | None = None
    ) -> None:
        """Begin with one that may be gone already; whatever goes wrong, the next one is taken."""
        try:
            if not service.implicit_tls:
                await self._begin(client, service)
            else:
                if address is None:
                    address = client.getpeername()[0].removeprefix("::ffff:")
                self._begin_tls(client, address, service)
        except OSError:
            client.close()
        except asyncio.CancelledError:
            client.close()
            raise
        except Exception:
            client.close()
            log.exception("net.not_begun", protocol=service.protocol)

    async def _introduce(self, client: socket.socket, proxy: str, service: Service) -> None:
        """Hear from a proxy whose connection this is; without that it is closed."""
        try:
            told = await receive_header(client)
            if service.implicit_tls:
                self._begin_tls(client, told.peer[0] if told.peer else proxy, service, told)
            else:
                await self._begin(client, service, told)
        except (BadHeader, OSError) as error:  # TimeoutError is one
            CONNECTIONS.labels(service.protocol, "refused").inc()
            reason = str(error) or f"no PROXY header within {PATIENCE:g} s"
            # A proxy that looks whether we are alive says nothing else, and does so every few seconds.
            say = log.debug if isinstance(error, Silent) else log.info
            say("net.no_introduction", proxy=proxy, protocol=service.protocol, reason=reason)
            client.close()
        except asyncio.CancelledError:
            client.close()
            raise

    async def _begin(self, client: socket.socket, service: Service, told: Header | None = None) -> None:
        await asyncio.get_running_loop().connect_accepted_socket(lambda: self._plain(service, told), client)

    def _begin_tls(
        self, client: socket.socket, address: str, service: Service, told: Header | None = None
    ) -> None:
        connection = self._connection(service, lambda _: None, told)
        if self._admit(connection, service, address) is not None:
            client.close()  # nothing can be said before the handshake
            return
        self._keep(connection, service)
        handshake = asyncio.get_running_loop().create_task(self._handshake(client, connection, service))
        self._handshakes[connection] = handshake
        # Not within the task: one that is cancelled before its first step never runs.
        handshake.add_done_callback(partial(self._handshaken, client, connection))

    async def _handshake(self, client: socket.socket, connection: Connection, service: Service) -> None:
        with sending_alerts(client.fileno()):
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

    def _connection(
        self,
        service: Service,
        on_connect: Callable[[Connection], bytes | None],
        told: Header | None = None,
    ) -> Connection:
        return Connection(
            service.session,
            connection_id=f"{self._name}-{next(self._numbers)}",
            alpn=ALPN[service.protocol],
            told=told,
            on_connect=on_connect,
            on_lost=self._leave,
        )

    def _admit(self, connection: Connection, service: Service, address: str) -> Refusal | None:
        refusal = self._gate.enter(connection, address, service.crowd)
        if refusal is None:
            CAME_IN[service.protocol].count += 1
        else:
            CONNECTIONS.labels(service.protocol, "refused").inc()
            log.info("net.refused", conn=connection.id, address=address, limit=refusal.limit)
            self._on_refused(address, f"{service.protocol}: {refusal.public} ([limits] {refusal.limit})")
        return refusal

    def _keep(self, connection: Connection, service: Service) -> None:
        self._open[connection] = service
        self._empty.clear()

    def _leave(self, connection: Connection) -> None:
        if self._open.pop(connection, None) is None:
            return
        self._gate.leave(connection)
        if self._balance is not None:
            self._balance.ended(connection.seconds())
        if not self._open:
            self._empty.set()
