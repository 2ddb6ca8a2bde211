"""Users append and fetch over IMAP, in TLS as they all do."""

import asyncio
import re
import time
from typing import Final

from bench.load import Figures, Line, measured, message, plural, share
from tests.interop.postroad_server import HOST, PASSWORD, Postroad

_ROW: Final = b" FETCH (UID "
_END: Final = re.compile(rb"\r\nd OK [^\r\n]*\r\n\Z")


async def log_in(server: Postroad) -> Line:
    """Open a session of ada."""
    opened = await asyncio.open_connection(
        "127.0.0.1",
        server.ports.imaps,
        ssl=server.tls_context(),
        server_hostname=HOST,
        limit=1 << 20,
    )
    line = Line(*opened)
    await line.until(b"* OK")
    line.writer.write(f'a LOGIN ada@ours.test "{PASSWORD}"\r\n'.encode())
    await line.until(b"a OK")
    return line


async def append(server: Postroad, sessions: int, count: int, size: int) -> Figures:
    """Append `count` messages, each durable before the session's next."""
    figures = Figures(f"IMAP APPEND, {plural(sessions)}")
    lines = [await log_in(server) for _ in range(sessions)]

    async def work(session: int, numbers: range) -> None:
        line = lines[session]
        for number in numbers:
            body = message(f"a{number}", size)
            start = time.perf_counter()
            line.writer.write(b"b APPEND Archive {%d+}\r\n%b\r\n" % (len(body), body))
            await line.until(b"b OK")
            figures.waits.append(time.perf_counter() - start)

    with measured(figures, [server.pid, *server.workers()]):
        await share(count, sessions, work)
    figures.count = count
    for line in lines:
        await line.close()
    return figures


async def fetch(server: Postroad, items: str, sessions: int) -> Figures:
    """Fetch these items of every message in the inbox, in each session."""
    figures = Figures(f"FETCH {items}, {plural(sessions)}")
    lines = [await log_in(server) for _ in range(sessions)]
    counts = [0] * sessions

    async def work(session: int, numbers: range) -> None:
        line = lines[session]
        start = time.perf_counter()
        line.writer.write(b"c EXAMINE INBOX\r\n")
        await line.until(b"c OK")
        line.writer.write(f"d FETCH 1:* {items}\r\n".encode())
        counts[session] = await _count_fetched(line)
        figures.waits.append(time.perf_counter() - start)

    with measured(figures, [server.pid, *server.workers()]):
        await share(sessions, sessions, work)
    figures.count = sum(counts)
    for line in lines:
        await line.close()
    return figures


async def _count_fetched(line: Line) -> int:
    """Read to the end of a FETCH in large pieces, so that the server is measured and not this client."""
    count, tail = 0, b""
    while True:
        piece = await line.reader.read(1 << 20)
        if not piece:
            raise ConnectionError("closed in the middle of a FETCH")
        text = tail + piece
        count += text.count(_ROW) - tail.count(_ROW)
        tail = text[-80:]
        if _END.search(tail):
            return count
