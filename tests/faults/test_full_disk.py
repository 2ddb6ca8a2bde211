"""A disk that is full: mail is refused for now, what is there is served, and it mends by itself (A5)."""

import imaplib
import os
import shutil
import smtplib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from tests.faults.conftest import Start
from tests.faults.load import ADA, Book
from tests.faults.reading import History, check
from tests.faults.server import Server
from tests.interop.postroad_server import PASSWORD
from tests.interop.processes import run, until

SIZE: Final = 256 * 1024 * 1024
NO_RESERVE: Final = "[limits]\nfree_space = 1\n"
"""So little is held back that the disk itself has to say no."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of our own."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder)
    try:
        yield folder
    finally:
        run("umount", "--lazy", folder)


def fill(disk: Path, leave: int) -> Path:
    """Take all of the disk but `leave` octets."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - leave)
    return filler


def deliver(server: Server, book: Book, size: int = 30_000) -> str:
    """Deliver one message; gives what it was refused with, or nothing."""
    name, octets = book.write("smtp", size)
    try:
        with smtplib.SMTP("127.0.0.1", server.ports.smtp, timeout=60) as client:
            book.sends(name, octets)
            client.sendmail("eve@elsewhere.test", [ADA], octets)
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as refused:
        return str(refused)
    book.taken.add(name)
    return ""


def log_in(server: Server) -> imaplib.IMAP4:
    client = imaplib.IMAP4_SSL("localhost", server.ports.imaps, ssl_context=server.tls_context(), timeout=60)
    client.login(ADA, PASSWORD)
    return client


def append(server: Server, book: Book, size: int = 30_000) -> str:
    """Append one message; gives what it was refused with, or nothing."""
    name, octets = book.write("append", size)
    with log_in(server) as client:
        book.sends(name, octets)
        status, answer = client.append("INBOX", "", "", octets)
    if status != "OK":
        return answer[0].decode()
    book.taken.add(name)
    return ""


def test_mail_is_refused_while_there_is_still_room_to_work(start: Start, disk: Path) -> None:
    server = start(disk)
    book, history = Book(), History()
    assert deliver(server, book) == append(server, book) == ""
    filler = fill(disk, 50 * 1024 * 1024)
    # Each worker looks at the disk once a second, and the kernel chooses who answers.
    until(lambda: all("(452, b'4.3.1 " in deliver(server, book) for _ in range(10)), "refusals")
    until(lambda: all("[LIMIT]" in append(server, book) for _ in range(5)), "refusals")
    with log_in(server) as client:
        client.select()
        assert client.search(None, "ALL")[1] != [b""]
        assert client.store("1", "+FLAGS", "\\Seen")[0] == "OK"
        assert client.copy("1", "Trash")[0] == "OK"
        assert client.store("1", "+FLAGS", "\\Deleted")[0] == "OK"
        assert client.expunge() == ("OK", [b"1"])
        book.taken.discard("smtp-0")  # which is in the Trash now
    check(server, book, history)
    filler.unlink()
    until(lambda: all(deliver(server, book) == "" for _ in range(10)), "mail to be taken again")
    until(lambda: append(server, book) == "", "mail to be taken again")
    check(server, book, history, bodies=True)
    assert "sound" in server.cli("store", "check")
    server.stop()


def test_a_disk_that_fills_up_and_is_emptied_again_and_again(start: Start, disk: Path) -> None:
    # What lies in /tmp lies on the same disk: it has its room from the start, or workers would end by SIGBUS.
    server = start(disk, NO_RESERVE + "message_size = 65536\n", ["env", f"TMPDIR={disk}"])
    workers = server.workers()
    metrics = [path.stat() for pid in workers for path in disk.glob(f"postroad-metrics-*/*_{pid}.db")]
    assert metrics
    assert all(file.st_blocks * 512 >= file.st_size for file in metrics)
    book, history = Book(), History()
    for round_ in range(4):
        filler = fill(disk, (3 + round_) * 512 * 1024)
        refused: list[str] = []
        while len(refused) < 10:
            refused += filter(None, (deliver(server, book), append(server, book)))
        assert all(words.startswith(("(452", "(451", "[UNAVAILABLE]", "[LIMIT]")) for words in refused), (
            refused
        )
        check(server, book, history)
        with log_in(server) as client:
            client.select()
            assert client.noop()[0] == "OK"
        filler.unlink()
        until(lambda: all(deliver(server, book) == "" for _ in range(10)), "mail to be taken again")
        until(lambda: append(server, book) == "", "mail to be taken again")
    assert server.workers() == workers
    check(server, book, history, bodies=True)
    assert "sound" in server.cli("store", "check")
    assert "Traceback" not in server.log()
    server.stop()
    server.start()
    check(server, book, history)
    server.stop()


def test_files_that_may_not_grow(start: Start, tmp_path: Path) -> None:
    """A write that fails in the middle of anything: what was acknowledged is there when it may grow again."""
    if shutil.which("prlimit") is None:
        pytest.skip("prlimit is not installed")
    limit = 9 * 1024 * 1024
    server = start(tmp_path, wrapper=["prlimit", f"--fsize={limit}"])
    book, history = Book(), History()
    refused = 0
    while refused < 20 and len(book.sent) < 2000:
        refused += bool(deliver(server, book, 60_000))
        with suppress(imaplib.IMAP4.error):
            refused += bool(append(server, book, 60_000))
    assert refused
    assert "Traceback" not in server.log()
    check(server, book, history)
    server.stop()
    again = start(tmp_path)
    check(again, book, history, bodies=True)
    assert deliver(again, book) == append(again, book) == ""
    assert "sound" in again.cli("store", "check")
    again.stop()
