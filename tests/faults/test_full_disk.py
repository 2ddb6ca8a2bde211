"""A disk that is full: mail is refused for now, what is there is served, and it mends by itself (A5)."""

import imaplib
import os
import random
import shutil
import smtplib
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.faults.conftest import Start
from tests.faults.crash import UNLIMITED
from tests.faults.load import ADA, Book
from tests.faults.mounted import small_disk
from tests.faults.reading import History, check
from tests.faults.server import Server
from tests.interop.postroad_server import PASSWORD
from tests.interop.processes import until

NO_RESERVE: Final = "[limits]\nfree_space = 1\n"
"""So little is held back that the disk itself has to say no."""
LONGEST: Final = 10.0
"""Seconds within which everything is answered, in the full size."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of our own."""
    with small_disk(tmp_path / "disk", "256m") as folder:
        yield folder


class Watch:
    """How long the slowest answer took."""

    def __init__(self) -> None:
        self.slowest = 0.0

    def __call__(self, ask: Callable[[], str]) -> str:
        """Ask something; gives the answer."""
        began = time.monotonic()
        answer = ask()
        self.slowest = max(self.slowest, time.monotonic() - began)
        return answer


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


def use(server: Server, book: Book) -> None:
    """Read, flag, copy and delete the first message, and have what was deleted go for good."""
    with log_in(server) as client:
        client.select()
        assert client.search(None, "ALL")[1] != [b""]
        _, parts = client.fetch("1", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        assert isinstance(parts[0], tuple)
        assert client.store("1", "+FLAGS", "\\Seen")[0] == "OK"
        assert client.copy("1", "Trash")[0] == "OK"
        assert client.store("1", "+FLAGS", "\\Deleted")[0] == "OK"
        assert client.expunge() == ("OK", [b"1"])
    book.taken.discard(parts[0][1].split()[1].decode())  # which is in the Trash now


def fill_and_free(server: Server, disk: Path, book: Book, history: History, rounds: int) -> Watch:
    """While there is still room to work: mail is refused, all else goes on, and it mends by itself."""
    watch, chance = Watch(), random.Random(5)
    for _ in range(rounds):
        filler = fill(disk, chance.randrange(8, 60) * 1024 * 1024)
        # Each worker looks at the disk once a second, and the kernel chooses who answers.
        until(
            lambda: all("(452, b'4.3.1 " in watch(lambda: deliver(server, book)) for _ in range(10)),
            "refusals",
        )
        until(lambda: all("[LIMIT]" in watch(lambda: append(server, book)) for _ in range(5)), "refusals")
        use(server, book)
        check(server, book, history)
        filler.unlink()
        until(
            lambda: all(watch(lambda: deliver(server, book)) == "" for _ in range(10)),
            "mail to be taken again",
        )
        until(lambda: watch(lambda: append(server, book)) == "", "mail to be taken again")
    return watch


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.soak)])
def test_mail_is_refused_while_there_is_still_room_to_work(start: Start, disk: Path, rounds: int) -> None:
    server = start(disk, UNLIMITED)
    workers = server.workers()
    book, history = Book(), History()
    assert deliver(server, book) == append(server, book) == ""
    watch = fill_and_free(server, disk, book, history, rounds)
    assert server.workers() == workers
    check(server, book, history, bodies=True)
    assert "sound" in server.cli("store", "check")
    assert "Traceback" not in server.log()
    print(
        f"\n{rounds} times full and freed: {len(book.taken)} messages acknowledged, none lost;"
        f" the slowest answer took {watch.slowest:.1f} s"
    )
    assert rounds < 20 or watch.slowest < LONGEST
    server.stop()


def test_what_others_have_filled_to_the_last_octet_is_no_end_of_work(start: Start, disk: Path) -> None:
    """The reserve is gone as well, but not the ballast: people go on, and so does a start."""
    server = start(disk)
    book, history = Book(), History()
    assert deliver(server, book) == append(server, book) == deliver(server, book) == ""
    ballast = disk / "data" / "ballast"
    assert ballast.exists()
    for _ in range(2):
        filler = fill(disk, 0)
        # What the log of the index has room for already needs none of the disk: not the first one drops it.
        until(
            lambda: "(452, b'4.3.1 " in deliver(server, book) and not ballast.exists(),
            "mail to be refused and the ballast to go",
        )
        use(server, book)
        check(server, book, history)
        filler.unlink()
        until(lambda: deliver(server, book) == append(server, book) == "", "mail to be taken again")
        until(lambda: deliver(server, book) == "" and ballast.exists(), "the ballast to be made again")
    server.stop()


def fill_to_the_last_octet(start: Start, disk: Path, rounds: int) -> None:
    """With next to no reserve: what is refused is refused by the disk itself, and it mends by itself."""
    # What lies in /tmp lies on the same disk: it has its room from the start, or workers would end by SIGBUS.
    limits = NO_RESERVE + "message_size = 65536\n" + UNLIMITED.partition("\n")[2]
    server = start(disk, limits, ["env", f"TMPDIR={disk}"])
    workers = server.workers()
    metrics = [path.stat() for pid in workers for path in disk.glob(f"postroad-metrics-*/*_{pid}.db")]
    assert metrics
    assert all(file.st_blocks * 512 >= file.st_size for file in metrics)
    book, history, watch = Book(), History(), Watch()
    for round_ in range(rounds):
        filler = fill(disk, (3 + round_ % 6) * 512 * 1024)
        refused: list[str] = []
        while len(refused) < 10:
            for ask in (deliver, append):
                refused += filter(None, [watch(partial(ask, server, book))])
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
    print(
        f"\n{rounds} times full to the last octet: {len(book.taken)} messages acknowledged, none lost;"
        f" the slowest answer took {watch.slowest:.1f} s"
    )
    assert rounds < 20 or watch.slowest < LONGEST


@pytest.mark.parametrize("rounds", [3, pytest.param(20, marks=pytest.mark.soak)])
def test_a_disk_that_fills_up_and_is_emptied_again_and_again(
    start: Start, tmp_path: Path, rounds: int
) -> None:
    # Each round leaves up to 20 MiB of mail there, what was kept back for people included.
    with small_disk(tmp_path / "disk", f"{100 + 22 * rounds}m") as disk:
        fill_to_the_last_octet(start, disk, rounds)


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
