"""A connection to another server: write, and read replies with a time-out each."""

import asyncio
import contextlib
import ssl
from collections import deque
from typing import Final, cast

from postroad.smtp.certificate import describe_certificate
from postroad.smtp.security import GENERAL, result_of, sent_chain
from postroad.smtp.wire.client import Garbage, ReplyReader
from postroad.smtp.wire.replies import Reply

UNASKED: Final = 1000
"""Replies that may wait to be read: more than any pipeline of ours asks for."""

_HIGH_WATER: Final = 512 * 1024
_NEVER: Final = float("inf")


class Lost(Exception):
    """The connection failed: refused, cut, silent beyond its time, or talking nonsense."""


class HandshakeFailed(Lost):
    """There is no TLS, or none that the context takes; `result` as RFC 8460 §4.3 has it."""

    def __init__(self, text: str, result: str) -> None:
        super().__init__(text)
        self.result = result


class Link(asyncio.Protocol):
    """One TCP connection as an SMTP client."""

    def __init__(self) -> None:
        self._reader = ReplyReader()
        self._replies: deque[Reply] = deque()
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._patience = 0.0
        """Seconds that are waited for a reply, and when they end: no time, while nobody waits."""
        self._deadline = _NEVER
        self._room: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._end: str | None = None
        self._aborted = False
        self._secured: ssl.SSLObject | None = None
        self.tls = ""
        """`TLSv1.3 TLS_AES_256_GCM_SHA384`; empty in clear."""
        self.certificate = ""
        """What the server showed, in words; nobody has vouched for it."""

    @classmethod
    async def connect(cls, address: str, port: int, timeout: float, source: str | None = None) -> "Link":
        """Open a connection.

        Raises:
            Lost: with the reason in words.
        """
        loop = asyncio.get_running_loop()
        local = (source, 0) if source else None
        try:
            async with asyncio.timeout(timeout):
                _, link = await loop.create_connection(cls, address, port, local_addr=local)
        except TimeoutError:
            raise Lost(f"no connection within {timeout:g} s") from None
        except OSError as error:
            raise Lost(f"cannot connect: {error.strerror or error}") from error
        return link

    # -- asyncio.Protocol -------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)

    def data_received(self, data: bytes) -> None:
        self._reader.receive(data)
        while (reply := self._reader.next_reply()) is not None:
            if isinstance(reply, Garbage):
                self._over(reply.reason)
                self.abort()
                return
            self._replies.append(reply)
            if len(self._replies) > UNASKED:
                self._over("more replies than were asked for")
                self.abort()
                return
        self._wake()

    def eof_received(self) -> bool:
        self._over("the server closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._over(f"connection lost: {exc}" if exc else "the server closed the connection")
        if self._timer is not None:
            self._timer.cancel()
        self.resume_writing()

    def pause_writing(self) -> None:
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    # -- the dialogue -----------------------------------------------------

    async def reply(self, timeout: float) -> Reply:
        """The next reply.

        Raises:
            Lost: it did not come.
        """
        if not self._replies:
            await self._come(timeout)
        return self._replies.popleft()

    def write(self, data: bytes) -> None:
        """Send octets; what cannot be sent shows when the reply is awaited."""
        if self._transport is not None and self._end is None:
            self._transport.write(data)

    async def drain(self, timeout: float) -> None:
        """Wait while the server is far behind in reading.

        Raises:
            Lost: it read nothing for so long.
        """
        # A fast server takes everything at once: others have their turn all the same, and what has
        # happened to the connection is heard of.
        await asyncio.sleep(0)
        if self._end is not None and not self._replies:
            raise Lost(self._end)
        if self._room is not None:
            try:
                async with asyncio.timeout(timeout):
                    await asyncio.shield(self._room)
            except TimeoutError:
                raise Lost(f"the server reads nothing for {timeout:g} s") from None

    @property
    def speaks_out_of_turn(self) -> bool:
        """Whether something is there that nobody asked for: before TLS that is an injection."""
        return bool(self._replies) or self._reader.pending

    async def start_tls(self, context: ssl.SSLContext, server_name: str, timeout: float) -> None:
        """Upgrade to TLS; nothing that came in clear is read after it.

        Raises:
            HandshakeFailed
        """
        assert self._transport is not None
        if self._end is not None:  # uvloop gives back an upgraded transport all the same
            raise HandshakeFailed(f"TLS cannot be begun: {self._end}", GENERAL)
        self._transport.pause_reading()
        try:
            upgraded = await self._loop.start_tls(
                self._transport, self, context, server_hostname=server_name, ssl_handshake_timeout=timeout
            )
        except (OSError, ValueError, TimeoutError) as error:  # ValueError: a name that cannot be an SNI
            self.abort()
            raise HandshakeFailed(f"TLS handshake failed: {error}", result_of(error)) from error
        if upgraded is None:
            raise HandshakeFailed("the server left during the TLS handshake", GENERAL)
        self._transport = upgraded
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._reader = ReplyReader()
        self._replies.clear()
        secured = self._secured = upgraded.get_extra_info("ssl_object")
        self.tls = f"{secured.version()} {secured.cipher()[0]}"
        self.certificate = describe_certificate(secured.getpeercert(binary_form=True))

    def sent_chain(self) -> list[bytes]:
        """The certificates that the server sent in the handshake (DER)."""
        return [] if self._secured is None else sent_chain(self._secured)

    @property
    def source(self) -> str:
        """Our own address in the connection; empty once it is gone."""
        name = self._transport.get_extra_info("sockname") if self._transport is not None else None
        return str(name[0]) if name else ""

    @property
    def open(self) -> bool:
        """Whether the connection is still there."""
        return self._end is None

    async def quit(self, timeout: float) -> None:
        """Say goodbye, wait a moment for the answer, close."""
        if self.open:
            self.write(b"QUIT\r\n")
            with contextlib.suppress(Lost):
                await self.reply(timeout)
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        # Python 3.11.2's TLS transport does not bear it a second time.
        if self._transport is not None and not self._aborted:
            self._aborted = True
            self._transport.abort()

    async def _come(self, timeout: float) -> None:
        self._watch(timeout)
        try:
            while not self._replies:
                if self._end is not None:
                    raise Lost(self._end)
                self._waiter = self._loop.create_future()
                await self._waiter
        finally:
            self._deadline = _NEVER

    def _watch(self, timeout: float) -> None:
        """One timer serves all replies: it is set anew when it rings too early, not for each of them."""
        self._patience, self._deadline = timeout, self._loop.time() + timeout
        if self._timer is None or self._deadline < self._timer_at:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._deadline
        self._timer = self._loop.call_at(self._timer_at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._loop.time() >= self._deadline:
            self._over(f"no reply within {self._patience:g} s")
        elif self._deadline < _NEVER:
            self._set_timer()

    def _over(self, reason: str) -> None:
        if self._end is None:
            self._end = reason
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
