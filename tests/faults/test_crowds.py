"""Strangers who come and go, or come and stay, by the thousand (SAFETY C16): others are served."""

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.conftest import Start
from tests.faults.load import Book, Line, log_in
from tests.faults.reading import History, check
from tests.faults.server import Server
from tests.faults.test_full_disk import deliver
from tests.faults.test_out_of import resident
from tests.interop.processes import until

ADDRESSES = 250
ROOM = """
[limits]
connections = 500
"""
OWN_FILES = 20
"""That workers may have opened meanwhile: databases and packs, at a first delivery."""
SHARE = 0.2
"""Of the connections, that strangers may have together (`policy.gate.STRANGERS`)."""


async def _storm(server: Server, count: int, seconds: float) -> int:
    """Connect and close, evenly over so many seconds; gives how many were connected."""
    began, connected = time.monotonic(), 0
    for number in range(count):
        await asyncio.sleep(began + seconds * number / count - time.monotonic())
        with suppress(OSError):
            source = (f"127.8.0.{number % ADDRESSES + 1}", 0)
            _, writer = await asyncio.open_connection("127.0.0.1", server.ports.smtp, local_addr=source)
            writer.transport.abort()
            connected += 1
    return connected


@pytest.mark.parametrize(("count", "seconds"), [(500, 1.5), pytest.param(20_000, 60, marks=pytest.mark.soak)])
def test_who_connects_and_closes_holds_up_nobody(start: Start, count: int, seconds: float) -> None:
    server = start()
    book, history = Book(), History()
    assert deliver(server, book) == ""
    before = descriptors(server)

    async def crowd() -> tuple[list[float], int]:
        storm = asyncio.create_task(_storm(server, count, seconds))
        waits = []
        while not storm.done():
            began = time.monotonic()
            assert await asyncio.to_thread(deliver, server, book) == ""
            waits.append(time.monotonic() - began)
        return waits, await storm

    waits, connected = asyncio.run(crowd())
    began = time.monotonic()
    assert deliver(server, book) == ""
    recovery = time.monotonic() - began
    worst = max(waits)
    print(f"{connected} of {count} came and went; {len(waits)} deliveries")
    print(f"the slowest took {worst:.2f} s, the next one {recovery:.2f} s")
    assert connected == count
    if count == 20_000:  # in the small size a slow machine would be what is measured
        assert worst < 2
        assert recovery < 5
    until(lambda: descriptors(server) <= before + OWN_FILES, "their descriptors to come back")
    check(server, book, history)
    server.stop()


@pytest.mark.parametrize(
    ("room", "count", "more"), [(500, 700, ROOM), pytest.param(10_000, 10_000, "", marks=pytest.mark.soak)]
)
def test_strangers_who_stay_make_room_for_others(start: Start, room: int, count: int, more: str) -> None:
    server = start(more=more)
    book, history = Book(), History()
    assert deliver(server, book) == ""
    share = int(room * SHARE)

    async def crowd() -> None:
        user = await log_in(server)
        before, held = sum(map(resident, server.workers())), descriptors(server)
        lines = []
        try:
            for number in range(count):
                # Few enough of each address, so that only the limit on all of them is met.
                source = (f"127.10.{number // 1000}.{number // 4 % ADDRESSES + 1}", 0)
                opened = await asyncio.open_connection("127.0.0.1", server.ports.smtp, local_addr=source)
                lines.append(Line(*opened))
            await asyncio.to_thread(until, lambda: descriptors(server) <= held + share, "the oldest to go")
            for line in lines[: count // 10]:
                with suppress(ConnectionError):
                    await line.rest()  # comes to an end
            for line in lines[-share // 4 :]:
                assert (await line.line()).startswith(b"220 ")
                await line.send(b"NOOP\r\n")
                assert (await line.reply()).startswith(b"250 ")
            assert [await asyncio.to_thread(deliver, server, book) for _ in range(5)] == [""] * 5
            await user.send(b"z NOOP\r\n")
            assert (await user.until(b"z")).startswith(b"z OK")
            grown = sum(map(resident, server.workers())) - before
            print(f"{count} came: {descriptors(server) - held} stayed, {grown / 1024 / 1024:.0f} MiB more")
            assert grown < 40 * 1024 * share + 32 * 1024 * 1024
        finally:
            for line in (user, *lines):
                line.abort()

    asyncio.run(crowd())
    check(server, book, history)
    server.stop()


def descriptors(server: Server) -> int:
    """Of all workers."""
    return sum(len(os.listdir(Path(f"/proc/{pid}/fd"))) for pid in server.workers())
