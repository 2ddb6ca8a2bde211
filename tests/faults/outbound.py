"""Mail on its way out under a load: a user who submits, and a server elsewhere that takes it."""

import asyncio
import base64
import re
import threading
from collections import Counter
from types import TracebackType
from typing import Final

from postroad.testing.remote import RemoteServer
from tests.faults.load import ADA, Book, Line, Refused
from tests.interop.addresses import loopback_address
from tests.interop.postroad_server import PASSWORD, Postroad

_SUBJECT: Final = re.compile(rb"^Subject: (\S+)", re.MULTILINE)
_PLAIN: Final = base64.b64encode(f"\0{ADA}\0{PASSWORD}".encode())


class Sink:
    """A mail server at port 25 of an address of its own, in a thread of its own: needs root."""

    def __init__(self) -> None:
        self.address = loopback_address(25)
        self._remote = RemoteServer("sink.test", self.address, port=25)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sink")

    def __enter__(self) -> "Sink":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._remote.start(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._remote.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def taken(self) -> Counter[str]:
        """How often it has said 250 to each message, by subject."""
        subjects = [_SUBJECT.search(message.body) for message in list(self._remote.messages)]
        return Counter(found[1].decode() for found in subjects if found is not None)


async def submit(server: Postroad, book: Book, sink: Sink) -> None:
    """Submit one message after the other for somebody at the sink, until the server is gone."""
    line = await Line.open(server.ports.submissions, server.tls_context())
    try:
        await line.reply()
        await line.send(b"EHLO load.test\r\n")
        await line.reply()
        await _say(line, b"AUTH PLAIN " + _PLAIN, b"235")
        while True:
            name, octets = book.write("out")
            octets = octets.replace(b"eve@elsewhere.test", ADA.encode())
            await _say(line, f"MAIL FROM:<{ADA}>".encode(), b"250")
            await _say(line, f"RCPT TO:<user@[{sink.address}]>".encode(), b"250")
            await _say(line, b"DATA", b"354")
            book.sends(name, octets)
            await line.send(octets + b".\r\n")
            reply = await line.reply()
            if not reply.startswith(b"250"):
                raise Refused(reply.decode())
            book.takes(name)
    finally:
        line.abort()


async def _say(line: Line, command: bytes, wanted: bytes) -> None:
    await line.send(command + b"\r\n")
    reply = await line.reply()
    if not reply.startswith(wanted):
        raise Refused(reply.decode())
