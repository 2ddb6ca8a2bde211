"""A web server at the other end, over TLS: it answers as it is told, and remembers what it was asked."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final

_LIMIT: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    target: str
    headers: dict[str, str]
    """Names in lower case."""
    octets: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered."""

    octets: bytes = b""
    content_type: str = "text/plain"
    status: int = 200
    headers: tuple[str, ...] = ()
    """More header lines, without their ends."""
    hangs: bool = False
    """Say nothing at all, until the other side has had enough."""


class WebServer:
    """One scripted HTTPS server on loopback; a path that it does not know is a 404."""

    def __init__(self, context: ssl.SSLContext, address: str = "127.0.0.1") -> None:
        self.address = address
        self.port = 0
        self.pages: dict[str, Page] = {}
        self.asked: list[Asked] = []
        self._context = context
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; `port` is known from here on."""
        self._server = await asyncio.start_server(
            self._serve, self.address, 0, ssl=self._context, limit=_LIMIT
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other side left, or the server stops
        finally:
            self._sessions.discard(task)
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {
            name.lower(): value.strip() for name, _, value in (h.partition(":") for h in head[1:] if h)
        }
        octets = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.append(Asked(method, target, headers, octets))
        page = self.pages.get(target, Page(b"nothing here\n", status=404))
        if page.hangs:
            await asyncio.Event().wait()
        answer = [
            f"HTTP/1.1 {page.status} scripted",
            f"Content-Type: {page.content_type}",
            f"Content-Length: {len(page.octets)}",
            "Connection: close",
            *page.headers,
        ]
        writer.write("\r\n".join([*answer, "", ""]).encode() + page.octets)
        await writer.drain()
