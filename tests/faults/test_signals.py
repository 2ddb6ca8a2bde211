"""SIGTERM loses nothing and ends in time; SIGHUP takes a new certificate and keeps every session."""

import asyncio
import errno
import shutil
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509

from tests.faults.conftest import Start
from tests.faults.load import ADA, Book, Line, Refused, append, deliver, half_sent, log_in, under_load
from tests.faults.reading import History, check
from tests.faults.server import Server
from tests.interop.certificates import make_certificates
from tests.interop.postroad_server import PASSWORD
from tests.interop.processes import until


def test_sigterm_under_load_loses_nothing(start: Start) -> None:
    server = start()
    book, history = Book(), History()
    for _ in range(2):
        ends = asyncio.run(under_load(_load(server, book), partial(_terminate, server, book)))
        assert server.wait() == 0
        said = [*book.refused, *(str(end) for end in ends if isinstance(end, Refused))]
        assert any(words.startswith("421 ") for words in said), "no SMTP client was told"
        server.start()
        check(server, book, history, bodies=True)
    assert "sound" in server.cli("store", "check")
    assert len(book.taken) > 20
    assert "Traceback" not in server.log()
    assert "net.cut_off" not in server.log()
    server.stop()


def test_sessions_are_told_that_the_server_stops(start: Start) -> None:
    server = start()

    async def sessions() -> list[bytes]:
        idle = await log_in(server)
        await idle.send(b"b SELECT INBOX\r\nc IDLE\r\n")
        await idle.until(b"b")
        assert (await idle.line()).startswith(b"+")
        quiet = await log_in(server)
        smtp = await Line.open(server.ports.smtp)
        await smtp.reply()
        pop3 = await Line.open(server.ports.pop3)
        await pop3.line()
        server.signal(signal.SIGTERM)
        said = [await line.rest() for line in (idle, quiet, smtp, pop3)]
        for line in (idle, quiet, smtp, pop3):
            await line.close()
        return said

    idle, quiet, smtp, pop3 = asyncio.run(sessions())
    assert idle.startswith(b"* BYE")
    assert quiet.startswith(b"* BYE")
    assert smtp.startswith(b"421 4.3.2 ")
    assert pop3 == b""  # RFC 1939 has no word for it
    assert server.wait() == 0


def is_refused(port: int) -> bool:
    """Whether nobody listens; where somebody does who accepts nothing, one would wait for a greeting."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def test_a_message_that_is_half_here_is_finished(start: Start) -> None:
    server = start()
    book = Book()

    async def slow() -> bytes:
        name, octets = book.write("slow")
        book.sends(name, octets)
        line = await half_sent(server, octets[:500])
        bystander = await Line.open(server.ports.smtp)
        await bystander.reply()
        server.signal(signal.SIGTERM)
        await bystander.rest()  # told to go, so the server is stopping
        await bystander.close()
        await asyncio.to_thread(until, lambda: is_refused(server.ports.smtp), "nobody to listen")
        await line.send(octets[500:] + b".\r\n")
        reply = await line.reply()
        if reply.startswith(b"250"):
            book.taken.add(name)
        await line.close()
        return reply

    assert asyncio.run(slow()).startswith(b"250 ")
    assert server.wait() == 0
    server.start()
    check(server, book, History())
    server.stop()


def reads_nothing(server: Server) -> ssl.SSLSocket:
    """A client that has asked for more than all buffers hold."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.connect(("localhost", server.ports.imaps))
    client = server.tls_context().wrap_socket(plain, server_hostname="localhost")
    much = b"Subject: much\r\n\r\n" + b"x" * 70 * 100_000 + b"\r\n"
    client.sendall(f'a LOGIN {ADA} "{PASSWORD}"\r\nb APPEND INBOX {{{len(much)}+}}\r\n'.encode())
    client.sendall(much + b"\r\nc SELECT INBOX\r\n")
    said = b""
    while b"c OK" not in said:
        more = client.recv(4096)
        assert more, said
        said += more
    client.sendall(b"d FETCH 1 BODY.PEEK[]\r\n")
    assert client.recv(10).startswith(b"* 1 FETCH")
    return client


def test_who_does_not_come_to_an_end_is_told_and_cut_off(start: Start) -> None:
    server = start()

    async def stubborn() -> bytes:
        line = await half_sent(server, b"Subject: half\r\n")
        with await asyncio.to_thread(reads_nothing, server):
            server.signal(signal.SIGTERM)
            assert await asyncio.to_thread(server.wait) == 0
        reply = await line.reply()
        await line.close()
        return reply

    assert asyncio.run(stubborn()).startswith(b"421 4.3.2 ")
    assert "net.cut_off connections=1" in server.log().replace("event=", "")
    assert "Traceback" not in server.log()


def test_nobody_waits_for_a_client_that_sleeps_behind_tls(start: Start) -> None:
    """It has been told, and its close_notify need not be waited for (RFC 8446 §6.1)."""
    server = start()
    with socket.create_connection(("localhost", server.ports.imaps)) as plain:
        asleep = server.tls_context().wrap_socket(plain, server_hostname="localhost")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        said = b""
        while more := asleep.recv(4096):
            said += more
        asleep.close()
    assert b"* BYE" in said
    assert "net.cut_off" not in server.log()


def test_sighup_swaps_the_certificate_and_keeps_the_sessions(start: Start, tmp_path: Path) -> None:
    server = start()
    before = _serial(server.certificates.certificate)
    mine = make_certificates(_made(tmp_path / "mine"), "localhost", "127.0.0.1")
    try:
        asyncio.run(_hang_up(server, before, mine.certificate, mine.key))
    finally:
        server.stop()


async def _hang_up(server: Server, before: int, certificate: Path, key: Path) -> None:
    session = await log_in(server)
    await session.send(b"b SELECT INBOX\r\n")
    await session.until(b"b")
    workers = server.workers()
    old = [path.read_bytes() for path in (server.certificates.certificate, server.certificates.key)]
    try:
        shutil.copy(certificate, server.certificates.certificate)
        shutil.copy(key, server.certificates.key)
        server.signal(signal.SIGHUP)
        # Each worker takes it in its own time; the kernel chooses who answers.
        for port in (server.ports.imaps, server.ports.submissions, server.ports.pop3s):
            in_a_row = 0
            while in_a_row < 12:
                in_a_row = in_a_row + 1 if await _shown(port) != before else 0
    finally:
        server.certificates.certificate.write_bytes(old[0])
        server.certificates.key.write_bytes(old[1])
    assert server.workers() == workers
    await session.send(b"c NOOP\r\n")
    assert (await session.until(b"c")).startswith(b"c OK")
    book = Book()
    delivery = asyncio.ensure_future(deliver(server, book, ADA))
    while len(book.taken) < 3:
        await asyncio.sleep(0.01)
    delivery.cancel()
    await session.close()


@pytest.mark.parametrize("files", ["garbage", "missing"])
def test_sighup_with_a_bad_certificate_changes_nothing(start: Start, files: str) -> None:
    server = start()
    path = server.certificates.certificate
    old = path.read_bytes()
    try:
        if files == "garbage":
            path.write_bytes(b"not a certificate")
        else:
            path.unlink()
        server.signal(signal.SIGHUP)
        server.until_logged("not_reloaded", 2)
    finally:
        path.write_bytes(old)
    assert asyncio.run(_shown(server.ports.imaps)) == _serial(path)
    server.stop()


def _load(server: Server, book: Book) -> list[Callable[[], Awaitable[None]]]:
    return [
        *(partial(deliver, server, book, ADA) for _ in range(5)),
        *(partial(append, server, book) for _ in range(2)),
    ]


async def _terminate(server: Server, book: Book) -> None:
    wanted = len(book.taken) + 30
    while len(book.taken) < wanted:
        await asyncio.sleep(0.01)
    server.signal(signal.SIGTERM)


async def _shown(port: int) -> int:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    line = await Line.open(port, context)
    shown = line.certificate()
    await line.close()
    return x509.load_der_x509_certificate(shown).serial_number


def _serial(path: Path) -> int:
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


def _made(path: Path) -> Path:
    path.mkdir()
    return path
