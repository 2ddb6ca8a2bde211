"""Mail from several sides at once, and a book in which stands what the server has answered for."""

import asyncio
import hashlib
import itertools
import random
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from tests.faults.target import Target
from tests.interop.postroad_server import PASSWORD

ADA: Final = "ada@ours.test"
GONE: Final = (OSError, ssl.SSLError, asyncio.IncompleteReadError, ConnectionError)
"""How a connection to a server ends that was killed."""

# Nothing is missing here that a server on the way would add.
_HEADER: Final = (
    "From: eve@elsewhere.test\r\nTo: ada@ours.test\r\nDate: Sat, 28 Nov 2026 12:00:00 +0000\r\n"
    "Message-ID: <{0}@elsewhere.test>\r\nSubject: {0}\r\n\r\n"
)


class Refused(Exception):
    """The server said no, or not now."""


@dataclass(slots=True)
class Book:
    """By subject: what was sent, and what the server has said yes to."""

    sent: dict[str, bytes] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    answered: dict[str, float] = field(default_factory=dict)
    """When (monotonic) the yes to each message was read here."""
    tries: Counter[str] = field(default_factory=Counter)
    """How often each was sent: as often it may be there, if no answer came before the last time."""
    refused: list[str] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def write(self, kind: str, size: int = 1500) -> tuple[str, bytes]:
        """Name and octets of a new message; its body follows from its name."""
        name = f"{kind}-{next(self.numbers)}"
        line = hashlib.sha256(name.encode()).hexdigest().encode() + b"\r\n"
        body = line * max(1, size // len(line))
        octets = _HEADER.format(name).encode() + body
        return name, octets

    def sends(self, name: str, octets: bytes) -> None:
        """From here on the server may have it."""
        self.sent[name] = hashlib.sha256(octets).digest()
        self.tries[name] += 1

    def takes(self, name: str) -> None:
        """The server has said yes."""
        self.answered[name] = time.monotonic()
        self.taken.add(name)

    def forget_since(self, moment: float) -> dict[str, float]:
        """Take back what was said yes to since then; give when that was, by name."""
        late = {name: at for name, at in self.answered.items() if at >= moment and name in self.taken}
        self.taken -= late.keys()
        return late

    def knows(self, name: str, stored: bytes) -> bool:
        """Whether stored octets are those that were sent, below the trace fields."""
        start = stored.find(b"From: eve@elsewhere.test\r\n")
        return hashlib.sha256(stored[start:]).digest() == self.sent[name]


class Line:
    """One connection of a load."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int, context: ssl.SSLContext | None = None) -> "Line":
        name = "localhost" if context else None
        opened = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname=name, limit=1 << 26
        )
        return cls(*opened)

    async def send(self, octets: bytes) -> None:
        self._writer.write(octets)
        await self._writer.drain()

    async def line(self) -> bytes:
        return (await self._reader.readuntil(b"\r\n"))[:-2]

    async def reply(self) -> bytes:
        """An SMTP reply, its last line."""
        while (line := await self.line())[3:4] == b"-":
            pass
        return line

    async def until(self, tag: bytes) -> bytes:
        """The tagged response."""
        while not (line := await self.line()).startswith(tag + b" "):
            pass
        return line

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        return await self._reader.read()

    def certificate(self) -> bytes:
        """What the server has shown of itself, in DER."""
        shown: bytes = self._writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return shown

    def abort(self) -> None:
        self._writer.transport.abort()

    async def close(self) -> None:
        self._writer.close()
        with suppress(*GONE):
            await self._writer.wait_closed()


async def deliver(server: Target, book: Book, *recipients: str, size: int = 1500, kind: str = "smtp") -> None:
    """Deliver one message after the other at port 25, until the server is gone."""
    line = await Line.open(server.ports.smtp)
    try:
        await line.reply()
        await line.send(b"EHLO load.test\r\n")
        await line.reply()
        while True:
            name, octets = book.write(kind, size)
            rcpts = b"".join(b"RCPT TO:<%b>\r\n" % recipient.encode() for recipient in recipients)
            await line.send(b"MAIL FROM:<eve@elsewhere.test>\r\n" + rcpts + b"DATA\r\n")
            for _ in range(len(recipients) + 2):
                reply = await line.reply()
                if reply.startswith(b"421"):
                    break
            if not reply.startswith(b"354"):
                raise Refused(reply.decode())
            book.sends(name, octets)
            await line.send(octets + b".\r\n")
            reply = await line.reply()
            if reply.startswith(b"250"):
                book.takes(name)
            else:
                book.refused.append(reply.decode())
                if reply.startswith(b"421"):
                    return
    finally:
        line.abort()


async def half_sent(server: Target, octets: bytes) -> Line:
    """The beginning of a message to ada at port 25, by which a worker is kept waiting for its end."""
    line = await Line.open(server.ports.smtp)
    await line.reply()
    await line.send(b"EHLO load.test\r\n")
    await line.reply()
    await line.send(b"MAIL FROM:<eve@elsewhere.test>\r\nRCPT TO:<%b>\r\nDATA\r\n" % ADA.encode())
    for _ in range(3):
        await line.reply()
    await line.send(octets)
    return line


async def log_in(server: Target, login: str = ADA) -> Line:
    """An IMAP session."""
    line = await Line.open(server.ports.imaps, server.tls_context())
    try:
        await line.line()
        await line.send(f'a LOGIN {login} "{PASSWORD}"\r\n'.encode())
        answer = await line.until(b"a")
        if not answer.startswith(b"a OK"):
            raise Refused(answer.decode())
    except BaseException:
        line.abort()
        raise
    return line


async def append(server: Target, book: Book, login: str = ADA) -> None:
    """Append one message after the other by IMAP, until the server is gone."""
    line = await log_in(server, login)
    try:
        while True:
            name, octets = book.write("append")
            book.sends(name, octets)
            await line.send(b"b APPEND INBOX {%d+}\r\n" % len(octets) + octets + b"\r\n")
            answer = await line.until(b"b")
            if not answer.startswith(b"b OK"):
                raise Refused(answer.decode())
            book.takes(name)
    finally:
        line.abort()


async def move(server: Target) -> None:
    """Move some of what comes in to the Archive, until the server is gone."""
    chance = random.Random(0)
    line = await log_in(server)
    try:
        await line.send(b"c STATUS INBOX (UIDNEXT)\r\nd SELECT INBOX\r\n")
        status = await line.line()
        if not status.startswith(b"* STATUS"):
            raise Refused(status.decode())
        last = int(status.rpartition(b" ")[2].rstrip(b")"))
        await line.until(b"d")
        while True:
            uid = max(1, last + chance.randint(-100, 300))
            await line.send(b"e UID MOVE %d:%d Archive\r\n" % (uid, uid + 2))
            answer = await line.until(b"e")
            if not answer.startswith(b"e OK"):
                raise Refused(answer.decode())
    finally:
        line.abort()


async def under_load(
    work: Sequence[Callable[[], Awaitable[None]]], then: Callable[[], Awaitable[None]]
) -> list[BaseException | None]:
    """Do all of `work` at once, `then` in the middle of it, and wait until the load has noticed."""
    tasks = [asyncio.ensure_future(one()) for one in work]
    await then()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    bad = [r for r in results if isinstance(r, BaseException) and not isinstance(r, (*GONE, Refused))]
    if bad:
        raise bad[0]
    return results
