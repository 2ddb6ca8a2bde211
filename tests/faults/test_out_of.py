"""A real server that is out of descriptors or memory, or whose syncs fail (SAFETY A4, A11, A12, C15)."""

import asyncio
import imaplib
import os
import signal
import smtplib
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.conftest import Start
from tests.faults.load import GONE, Book, Line, half_sent
from tests.faults.reading import History, check
from tests.faults.server import Server, lives
from tests.faults.strace import injected
from tests.faults.test_full_disk import append, deliver, log_in
from tests.faults.test_large import BIG
from tests.interop.processes import until

TICKS = os.sysconf("SC_CLK_TCK")


def test_nothing_is_acknowledged_while_syncs_fail(start: Start) -> None:
    server = start()
    book, history = Book(), History()
    assert deliver(server, book) == append(server, book) == ""
    with injected(server.workers(), "fsync,fdatasync:error=EIO"):
        for _ in range(5):
            assert "(451, b'4.3." in deliver(server, book)
            assert "[UNAVAILABLE]" in append(server, book)
        check(server, book, history)
    until(lambda: deliver(server, book) == append(server, book) == "", "mail to be taken again")
    server.strike()
    server.wait_until_gone()
    server.start()
    check(server, book, history, bodies=True)
    assert "sound" in server.cli("store", "check")
    assert "Traceback" not in server.log()
    server.stop()


def test_a_server_out_of_descriptors_waits_and_recovers(start: Start, tmp_path: Path) -> None:
    server = start(tmp_path, wrapper=["prlimit", "--nofile=200"])
    book, history = Book(), History()
    assert deliver(server, book) == ""
    crowd = [_connect(server, n) for n in range(400)]
    before, began = cpu(server), time.monotonic()
    until(lambda: time.monotonic() - began > 2.0, "two seconds to pass")
    used, passed = cpu(server) - before, time.monotonic() - began
    assert used / passed < 0.5, f"{used / passed:.2f} of a core for waiting"
    for one in crowd:
        one.close()
    until(lambda: _taken(server, book), "mail to be taken again")
    check(server, book, history)
    server.stop()


def _taken(server: Server, book: Book) -> bool:
    """Whether mail is taken; a server that still finds no descriptor may hang up instead of saying so."""
    try:
        return deliver(server, book) == append(server, book) == ""
    except (OSError, smtplib.SMTPException, imaplib.IMAP4.error):
        return False


def _connect(server: Server, number: int) -> socket.socket:
    """A connection from an address of its own among a hundred; it may be kept waiting."""
    one = socket.socket()
    one.bind((f"127.0.7.{number % 100 + 1}", 0))
    one.setblocking(False)
    with suppress(BlockingIOError):
        one.connect(("127.0.0.1", server.ports.smtp))
    return one


def cpu(server: Server) -> float:
    """Seconds of CPU that all processes have used."""
    return sum(_cpu(pid) for pid in (server.pid, *server.workers()))


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def test_memory_runs_out_under_a_large_message(start: Start) -> None:
    """A worker with no memory left refuses or dies; what others were answered for is there."""
    server = start()
    book = Book()
    assert deliver(server, book) == append(server, book) == ""

    async def squeeze() -> None:
        line = await half_sent(server, BIG[: len(BIG) // 2])
        for pid in server.workers():
            size = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            with suppress(ProcessLookupError):
                subprocess.run(["prlimit", f"--pid={pid}", f"--as={size + 1024 * 1024}:"], check=True)
        with suppress(*GONE):
            await line.send(BIG[len(BIG) // 2 :] + b".\r\n")
            reply = await line.reply()
            assert reply[:3] in (b"250", b"421", b"451", b"452"), reply
            if reply.startswith(b"250"):
                book.sent["big"] = b""
        line.abort()

    asyncio.run(squeeze())
    for pid in server.workers():
        with suppress(subprocess.CalledProcessError):
            subprocess.run(["prlimit", f"--pid={pid}", "--as=unlimited:"], check=True)
    until(lambda: _works(server, book), "mail to be taken again")
    _none_lost(server, book)
    server.signal(signal.SIGTERM)  # its log may hold the MemoryError
    assert server.wait() == 0


def test_killed_with_a_large_message_on_its_way_in(start: Start, tmp_path: Path) -> None:
    server = start()
    book, history = Book(), History()
    assert deliver(server, book) == append(server, book) == ""

    async def strike() -> None:
        line = await half_sent(server, BIG[: len(BIG) // 2])
        server.strike()
        line.abort()

    asyncio.run(strike())
    server.wait_until_gone()
    server.start()
    assert not any(lives(pid) for pid in server._struck)
    check(server, book, history, bodies=True)
    assert not list((tmp_path / "data" / "spool").iterdir())
    assert "sound" in server.cli("store", "check")
    server.stop()


def _works(server: Server, book: Book) -> bool:
    try:
        return deliver(server, book) == append(server, book) == ""
    except (*GONE, smtplib.SMTPException):
        return False


def _none_lost(server: Server, book: Book) -> None:
    with log_in(server) as client:
        client.select()
        _, parts = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    found = b"".join(part[1] for part in parts if isinstance(part, tuple))
    assert all(f"Subject: {name}\r\n".encode() in found for name in book.taken)


async def _slow(server: Server, count: int) -> list[Line]:
    """Connections that send an octet and then nothing, four for each address."""
    lines = []
    for number in range(count):
        address = f"127.9.{number // 1000}.{number // 4 % 250 + 1}"
        opened = await asyncio.open_connection("127.0.0.1", server.ports.smtp, local_addr=(address, 0))
        line = Line(*opened)
        await line.send(b"E")
        lines.append(line)
    return lines


@pytest.mark.parametrize("count", [300, pytest.param(5000, marks=pytest.mark.soak)])
def test_slow_strangers_hold_up_nobody(start: Start, count: int) -> None:
    server = start()
    book, history = Book(), History()
    assert deliver(server, book) == ""

    async def crowd() -> None:
        before = sum(map(resident, server.workers()))
        lines = await _slow(server, count)
        try:
            answers = [await asyncio.to_thread(deliver, server, book) for _ in range(10)]
            assert answers == [""] * 10
            grown = sum(map(resident, server.workers())) - before
            assert grown < 40 * 1024 * count + 32 * 1024 * 1024, f"{grown} octets for {count} connections"
        finally:
            for line in lines:
                line.abort()

    asyncio.run(crowd())
    check(server, book, history)
    server.stop()


def resident(pid: int) -> int:
    """Octets of memory that a process uses."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
