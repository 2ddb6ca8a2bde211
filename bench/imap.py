"""Users append and fetch over IMAP, in TLS as they all do."""

import asyncio
import time

from bench.load import Figures, Line, measured, message, share
from tests.interop.postroad_server import HOST, PASSWORD, Postroad


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
    figures = Figures(f"IMAP APPEND, {sessions} sessions")
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
    figures = Figures(f"IMAP FETCH {items}, {sessions} sessions")
    lines = [await log_in(server) for _ in range(sessions)]
    counts = [0] * sessions

    async def work(session: int, numbers: range) -> None:
        line = lines[session]
        start = time.perf_counter()
        line.writer.write(b"c EXAMINE INBOX\r\n")
        await line.until(b"c OK")
        line.writer.write(f"d FETCH 1:* {items}\r\n".encode())
        while not (said := await line.reader.readline()).startswith(b"d OK"):
            if not said:
                raise ConnectionError("closed in the middle of a FETCH")
            counts[session] += said.startswith(b"* ") and b" FETCH (" in said
        figures.waits.append(time.perf_counter() - start)

    with measured(figures, [server.pid, *server.workers()]):
        await share(sessions, sessions, work)
    figures.count = sum(counts)
    for line in lines:
        await line.close()
    return figures
