"""A running server whose clock is wrong, and is put right or wrong while it runs (SAFETY: A13).

libfaketime stands before the clock that says what day it is, not before the
one that only goes on, as the system does it. It reads how far off it is from
a file, so that all processes leap at once.
"""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.faults.conftest import Start
from tests.faults.crash import UNLIMITED, Modseqs
from tests.faults.load import Book
from tests.faults.reading import History, check
from tests.faults.server import Server
from tests.faults.test_full_disk import append, deliver, log_in
from tests.interop.processes import program

_LIBRARY: Final = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
HOUR: Final = 3600
TEN_YEARS: Final = 3652 * 24 * HOUR


def to_1970() -> int:
    """How far back the first of May of that year lies."""
    return 120 * 24 * HOUR - int(time.time())


class Clock:
    """The clock of a server, seconds off ours."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.off = 0

    def leap(self, off: int) -> None:
        """Put it so far ahead (or back) of ours."""
        beside = self._file.with_suffix(".new")
        beside.write_text(f"{off:+d}s\n")
        beside.replace(self._file)
        self.off = off

    def wrapper(self) -> list[str]:
        """What a server is started with, to go by it."""
        program("faketime")
        return [
            *("env", f"LD_PRELOAD={_LIBRARY}", f"FAKETIME_TIMESTAMP_FILE={self._file}"),
            *("FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1"),
        ]


def newest(data: Path) -> list[tuple[int, int, int]]:
    """UID, modseq and time of filing of everything in ada's INBOX, by UID."""
    with closing(sqlite3.connect(f"file:{data / 'index.db'}?mode=ro", uri=True, timeout=30)) as index:
        return index.execute(
            "SELECT uid, modseq, saved_date FROM entry WHERE account_id = 1 AND mailbox_id = 1 ORDER BY uid"
        ).fetchall()


def works(server: Server, book: Book) -> None:
    """Mail comes in by both ways, and is changed."""
    for _ in range(3):
        assert deliver(server, book) == append(server, book) == ""
    with log_in(server) as client:
        client.select()
        assert client.store("1", "+FLAGS", "\\Seen")[0] == "OK"
        assert client.noop()[0] == "OK"


def test_leaps_while_it_runs(start: Start, tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    clock.leap(0)
    server = start(tmp_path, UNLIMITED, clock.wrapper())
    workers = server.workers()
    book, history, modseqs = Book(), History(), Modseqs()
    works(server, book)
    for off in (HOUR, -HOUR, TEN_YEARS, to_1970(), 0):
        before = newest(tmp_path / "data")
        clock.leap(off)
        works(server, book)
        modseqs.look(tmp_path / "data")
        after = newest(tmp_path / "data")
        assert [row[0] for row in after[: len(before)]] == [row[0] for row in before]
        new = after[len(before) :]
        assert len(new) == 6
        assert all(abs(saved - time.time() - off) < 600 for _, _, saved in new), "another clock was asked"
        assert max(modseq for _, modseq, _ in before) < min(modseq for _, modseq, _ in new)
        check(server, book, history, bodies=True)
    assert server.workers() == workers
    assert "Traceback" not in server.log()
    assert "sound" in server.cli("store", "check")
    server.stop()


@pytest.mark.parametrize("off", [TEN_YEARS, to_1970()], ids=["ten years on", "1970"])
def test_a_start_by_a_wrong_clock(start: Start, tmp_path: Path, off: int) -> None:
    """It serves, and does so again when the clock is right."""
    clock = Clock(tmp_path)
    clock.leap(off)
    server = start(tmp_path, UNLIMITED, clock.wrapper())
    book, history = Book(), History()
    works(server, book)
    check(server, book, history)
    server.stop()
    clock.leap(0)
    server.start()
    works(server, book)
    check(server, book, history, bodies=True)
    assert "sound" in server.cli("store", "check")
    server.stop()
