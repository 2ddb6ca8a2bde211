"""Strangers deliver as fast as they are let: pipelined, each message durable before the next."""

import asyncio
import time

from bench.load import Figures, Line, measured, message, plural, share
from tests.interop.postroad_server import Postroad


async def smtp_in(server: Postroad, sessions: int, count: int, size: int) -> Figures:
    """Deliver `count` messages over so many sessions."""
    figures = Figures(f"SMTP in, {plural(sessions)}")

    async def deliver(session: int, numbers: range) -> None:
        line = Line(*await asyncio.open_connection("127.0.0.1", server.ports.smtp))
        await line.until(b"220 ")
        line.writer.write(b"EHLO load.test\r\n")
        await line.until(b"250 ")
        for number in numbers:
            body = message(f"s{sessions}.{number}", size) + b".\r\n"
            line.writer.write(b"MAIL FROM:<load@elsewhere.test>\r\nRCPT TO:<ada@ours.test>\r\nDATA\r\n")
            await line.until(b"354 ")
            start = time.perf_counter()
            line.writer.write(body)
            await line.until(b"250 ")
            figures.waits.append(time.perf_counter() - start)
        line.writer.write(b"QUIT\r\n")
        await line.until(b"221 ")
        await line.close()

    with measured(figures, [server.pid, *server.workers()]):
        await share(count, sessions, deliver)
    figures.count = count
    return figures
