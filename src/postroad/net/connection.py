"""One TCP connection of any line protocol: the pump between socket and core.

A session attaches its core and then asks, again and again, for a reason to
look at it. Everything that the core wants to say goes out in one write just
before the session waits, so a pipeline of commands costs one system call.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Final, cast

from postroad.model.octets import Buffer
from postroad.net.alerts import sending_alerts
from postroad.net.core import Core, Early
from postroad.net.ends import End, end_named
from postroad.net.farewell import heard
from postroad.net.proxy import Header
from postroad.net.room import Room
from postroad.net.tls import TlsInfo, tls_info
from postroad.net.wake import Wake
from postroad.obs.log import log

READ_HIGH_WATER: Final = 64 * 1024
"""Octets waiting in a core above which the socket is not read: times thousands of strangers made to wait."""
WRITE_HIGH_WATER: Final = 1024 * 1024
"""Octets waiting in the transport above which `send` waits (SAFETY: IMAP output unread)."""
UNREAD_SECONDS: Final = 300.0
"""How long a peer may leave what it is sent unread, where nobody says otherwise."""
LINGER_SECONDS: Final = 60.0
"""How long the last words of a session may take to go out."""
SEE_OFF_SECONDS: Final = 0.5
"""How often a server that stops looks whether they have arrived: then it waits for no answer."""

_DATA: Final = Wake.DATA  # to look a member up takes longer than a call


class Connection(asyncio.Protocol):
    """A connection with its peer, one task (`session`) and one timer."""

    __slots__ = (
        "_at_once",
        "_began",
        "_closed",
        "_connected_cb",
        "_core",
        "_draining",
        "_eof",
        "_fed",
        "_last_call",
        "_loop",
        "_lost_cb",
        "_poked",
        "_reading",
        "_room",
        "_session",
        "_task",
        "_timer",
        "_timer_at",
        "_told",
        "_transport",
        "_unread",
        "_waiter",
        "account_id",
        "alpn",
        "due",
        "id",
        "peer",
        "tls",
    )

    def __init__(
        self,
        session: Callable[["Connection"], Awaitable[None]],
        *,
        connection_id: str,
        alpn: str = "",
        told: Header | None = None,
        on_connect: Callable[["Connection"], bytes | None] = lambda _: None,
        on_lost: Callable[["Connection"], None] = lambda _: None,
    ) -> None:
        """`on_connect` may answer with a farewell: the peer gets it and is closed.

        `alpn` is what is spoken here. Who agrees in the handshake to speak
        something else was sent here by somebody else (ALPACA) and hears nothing.
        `told` is what a proxy has said of the peer.
        """
        self.id = connection_id
        self.peer: End = ("", 0)
        self.tls: TlsInfo | None = None
        self.alpn = alpn
        self.account_id: int | None = None
        """Who has logged in, so that an account that is suspended can be shown the door."""
        self._told = told
        self._session = session
        self._connected_cb = on_connect
        self._lost_cb = on_lost
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._transport: asyncio.Transport | None = None
        self._core: Core | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._at_once: Callable[[], bool] | None = None
        """Answers what comes in the place of the session, which waits."""
        self.due = 0.0
        """When the session has waited for long enough (`deadline`)."""
        self._room = Room(self._loop)
        self._unread = UNREAD_SECONDS
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._fed = self._poked = self._eof = self._closed = False
        self._draining = self._last_call = False
        self._reading = True

    # -- asyncio.Protocol -------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio's by behaviour, not by class.
        opened = cast(asyncio.Transport, transport)
        self._transport = opened
        told = self._told
        self.peer = (told and told.peer) or end_named(transport.get_extra_info("peername"))
        self.tls = tls_info(transport)
        if self._speaks_otherwise():
            opened.abort()
            return
        farewell = self._connected_cb(self)
        if farewell is not None:
            opened.write(farewell)
            opened.close()
            return
        opened.set_write_buffer_limits(high=WRITE_HIGH_WATER)
        self._task = self._loop.create_task(self._run())

    def data_received(self, data: bytes) -> None:
        core = self._core
        if core is None:
            self._early(data)  # the session has not attached its core yet
            return
        core.receive(data)
        at_once = self._at_once
        if at_once is not None and not self._room.is_full and at_once():
            return
        self._fed = True
        if self._reading and core.buffered() > READ_HIGH_WATER:
            self._reading = False
            self._transport.pause_reading()  # type: ignore[union-attr]  # set while data comes
        self._wake()

    def eof_received(self) -> bool:
        self._eof = True
        self._wake()
        # Keep the writing half: replies to what came before the EOF still go out. TLS cannot.
        return self.tls is None

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed = True
        self._stop_timer()
        self._wake()
        self._room.clear()
        self._lost_cb(self)

    def pause_writing(self) -> None:
        self._room.fill()

    def resume_writing(self) -> None:
        self._room.clear()

    # -- for sessions -----------------------------------------------------

    def attach(self, core: Core, unread: float = UNREAD_SECONDS) -> None:
        """Let `core` have the bytes of the peer from now on, who may leave `unread` for so many seconds."""
        self._unread = unread
        early = self._core
        self._core = core
        if isinstance(early, Early) and early.held:
            core.receive(bytes(early.held))
            self._fed = True

    def deadline(self, seconds: float) -> float:
        """A point in time for `pump`, from now."""
        return self._loop.time() + seconds

    def extend(self, seconds: float) -> None:
        """Let the session wait for so long from now: `at_once` has answered what it waited for."""
        self.due = self._loop.time() + seconds

    async def pump(
        self, deadline: float, *, drain: bool = True, at_once: Callable[[], bool] | None = None
    ) -> Wake:
        """Send what the core has to say, then wait for a reason to go on.

        `deadline` is absolute (`deadline()`), so that a peer that sends one
        octet a minute does not extend it. `drain=False` while the peer is in
        the middle of something that is worth finishing when the server stops.

        `at_once` is called with what comes while the session waits, and writes
        what there is to say to it. Where it returns True nothing is left for the
        session, which goes on waiting: a short command costs no turn of a task.
        """
        self.due = deadline
        self.flush()
        while True:
            if self._room.is_full and not self._closed:
                # The peer does not read: nothing is taken from it until it does.
                if not await self._room.wait(min(self.due, self.deadline(self._unread))):
                    # Nor would it read a farewell: this one does not linger.
                    self.abort()
                    return Wake.CLOSED
                continue
            if self._fed:
                self._fed = False
                return _DATA
            if self._closed or self._eof:
                return Wake.CLOSED
            if self._poked:
                self._poked = False
                return Wake.POKED
            if self._draining and (drain or self._last_call):
                return Wake.DRAIN
            due = self.due
            if self._loop.time() >= due:
                return Wake.TIMEOUT
            if not self._reading:
                self._resume_reading()
            if self._timer is None or self._timer_at > due:
                self._start_timer(due)
            self._waiter = self._loop.create_future()
            # A server that stops looks after each command whether the peer is idle.
            self._at_once = None if self._draining else at_once
            try:
                await self._waiter
            finally:
                self._waiter = self._at_once = None

    def flush(self) -> None:
        """Write what the core wants to send; does not wait."""
        if self._core is not None and (data := self._core.data_to_send()):
            self.write(data)

    def write(self, data: Buffer) -> None:
        """Queue bytes behind those that are going out."""
        if not self._closed and self._transport is not None:
            self._transport.write(data)

    async def send(self, data: Buffer) -> None:
        """Write bytes and wait while the peer is more than a high-water mark behind.

        Raises:
            ConnectionError: the peer is gone, or has read nothing for as long as it may (`attach`).
        """
        self.flush()
        if data:
            self.write(data)
        if self._room.is_full and not await self._room.wait(self.deadline(self._unread)):
            self.abort()
            raise ConnectionError("the peer does not read")
        if self._closed:
            raise ConnectionError("the peer is gone")

    async def start_tls(self, context: ssl.SSLContext, timeout: float = 60.0) -> None:
        """Upgrade to TLS as the server.

        The caller has dropped what its core had buffered: bytes that came in
        clear must never be read as if they had come protected. The reply that
        invites the handshake has to be in the core or already written.

        Raises:
            ConnectionError: the handshake failed or agreed on another protocol; the connection is closed.
        """
        transport = self._transport
        assert transport is not None
        self.flush()
        transport.pause_reading()
        self._fed, self._reading = False, True
        try:
            with sending_alerts(self.fileno()):
                upgraded = await self._loop.start_tls(
                    transport, self, context, server_side=True, ssl_handshake_timeout=timeout
                )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            self._give_up()
            raise ConnectionError(f"TLS handshake failed: {error}") from error
        if upgraded is None:
            self._give_up()
            raise ConnectionError("the peer left during the TLS handshake")
        self._transport = upgraded
        self._transport.set_write_buffer_limits(high=WRITE_HIGH_WATER)
        if not self._reading:
            # So much came with the end of the handshake that the transport below was stopped.
            transport.resume_reading()
            self._reading = True
        self.tls = tls_info(upgraded)
        if self._speaks_otherwise():
            self.abort()
            raise ConnectionError("the client wants to speak another protocol")

    def poke(self) -> None:
        """Make the session's `pump` return POKED, now or the next time."""
        self._poked = True
        self._wake()

    def drain(self, *, last_call: bool = False) -> None:
        """The server is stopping: sessions see DRAIN as soon as their peer is idle, or at the last call."""
        self._draining = True
        self._last_call |= last_call
        self._wake()
        if self._task is not None and self._task.done():
            self._see_off()

    @property
    def draining(self) -> bool:
        """Whether the server has asked this connection to end."""
        return self._draining

    def fileno(self) -> int:
        """Its descriptor, for who hands it on before anything was said."""
        assert self._transport is not None
        return int(self._transport.get_extra_info("socket").fileno())

    def seconds(self) -> float:
        """How long ago it was accepted."""
        return self._loop.time() - self._began

    @property
    def closed(self) -> bool:
        """Whether the transport is gone."""
        return self._closed

    def close(self) -> None:
        """Close once everything written has gone out."""
        self.flush()
        # Python 3.11.2's TLS transport cannot be aborted any more when it was closed twice.
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()

    def abort(self) -> None:
        """Close at once and drop what is unsent."""
        # Python 3.11.2's TLS transport does not bear it a second time.
        if self._transport is not None and not self._closed:
            self._transport.abort()

    @property
    def ssl_object(self) -> ssl.SSLObject | None:
        """For channel binding and client certificates."""
        return self._transport.get_extra_info("ssl_object") if self._transport else None

    # -- inside -----------------------------------------------------------

    async def _run(self) -> None:
        try:
            await self._session(self)
        except ConnectionError:
            pass  # the peer left in the middle of something; the session has logged what matters
        except Exception:
            log.exception("net.session_failed", conn=self.id, peer=self.peer[0])
        finally:
            self._stop_timer()
            self.close()
            if self._may_linger():
                self._see_off()

    def _may_linger(self) -> bool:
        """Whether the end hangs on the peer: on what it has not taken yet, or on its end of TLS."""
        transport = self._transport
        return self.tls is not None or transport is None or transport.get_write_buffer_size() > 0

    def _see_off(self) -> None:
        """Wait, but not for ever, until the peer has taken what is unsent and has ended TLS as well."""
        self._stop_timer()
        if not self._closed:
            again = (SEE_OFF_SECONDS, self._leave) if self._draining else (LINGER_SECONDS, self.abort)
            self._timer = self._loop.call_later(*again)

    def _leave(self) -> None:
        if self._transport is not None and heard(self._transport):
            self.abort()
        else:
            self._see_off()

    def _give_up(self) -> None:
        """Close during a handshake: asyncio does not always say then that the connection is lost."""
        self.abort()
        self.connection_lost(None)

    def _speaks_otherwise(self) -> bool:
        return bool(self.alpn) and self.tls is not None and self.tls.alpn not in ("", self.alpn)

    def _early(self, data: bytes) -> None:
        held = Early()
        held.receive(data)
        self._core = held

    def _wake(self) -> None:
        self._at_once = None  # what comes from now on is the session's
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _resume_reading(self) -> None:
        if self._transport is not None:
            self._reading = True
            self._transport.resume_reading()

    def _start_timer(self, deadline: float) -> None:
        # One timer a connection: while the running one fires early it is left alone and
        # re-armed on firing, so an ordinary command costs no timer at all.
        self._stop_timer()
        self._timer_at = deadline
        self._timer = self._loop.call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._wake()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
