"""A running server whose disk takes only parts of writes, or none (SAFETY: A6).

Parts: libfiu(7) stands before pwrite(2) and pwritev(2), by which index and
packs are written, and lets them have fewer octets than they were given. Not
before write(2): the loop of a worker wakes itself by one to an eventfd, which
is never short. None: strace(1) lets every so manieth write fail.

What strace can also do, to report octets as written that were not, is a lie
that no program can see through; `test_damage.py` shows what becomes of wrong
octets.
"""

from pathlib import Path
from typing import Final

import pytest

from tests.faults.conftest import Start
from tests.faults.crash import UNLIMITED
from tests.faults.load import Book
from tests.faults.reading import History, check, inside
from tests.faults.server import Server
from tests.faults.strace import injected
from tests.faults.test_full_disk import append, deliver
from tests.interop.processes import program, until

_LIBRARIES: Final = ("fiu_run_preload.so", "fiu_posix_preload.so")
_CALLS: Final = ("pwrite", "pwritev")
WRITES: Final = "pwritev,pwrite64"


def partly(chance: float) -> list[str]:
    """A wrapper in which so many of all writes take only a part."""
    program("fiu-run")
    preload = " ".join(f"/usr/lib/fiu/{name}" for name in _LIBRARIES)
    faults = "\n".join(
        f"enable_random name=posix/io/rw/{call}/reduce,probability={chance}" for call in _CALLS
    )
    return ["env", f"LD_PRELOAD={preload}", f"FIU_ENABLE={faults}"]


def send(server: Server, book: Book, count: int) -> int:
    """Deliver and append so many of different sizes; give how many were refused."""
    sizes, refused = (300, 3000, 30_000, 300_000), 0
    for number in range(count):
        for once in (deliver, append):
            refused += bool(once(server, book, sizes[number % len(sizes)]))
    return refused


def look(server: Server, book: Book, history: History) -> None:
    """All that was taken is there, whole; what was refused is really absent; the store is sound."""
    check(server, book, history, bodies=True)
    refused = book.sent.keys() - book.taken
    there = set(inside(server, book).values()) & refused
    assert not there, f"refused, and there: {sorted(there)[:5]}"
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("count", [12, pytest.param(1000, marks=pytest.mark.soak)])
def test_writes_that_take_a_part(start: Start, tmp_path: Path, count: int) -> None:
    server = start(tmp_path, UNLIMITED, partly(0.3))
    book, history = Book(), History()
    assert _loaded(server)
    assert send(server, book, count) == 0, "a write that took a part goes on with the rest"
    look(server, book, history)
    server.strike()
    server.wait_until_gone()
    server.start()
    look(server, book, history)
    assert "sound" in server.cli("store", "check")
    server.stop()
    print(f"\n{2 * count} messages over writes of which 30 % took a part: none refused, none lost")


@pytest.mark.parametrize("count", [12, pytest.param(500, marks=pytest.mark.soak)])
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_writes_that_fail(start: Start, error: str, count: int) -> None:
    """Each thread counts its own: the 20th write fails, and every 30th after it."""
    server = start(more=UNLIMITED)
    book, history = Book(), History()
    with injected(server.workers(), f"{WRITES}:error={error}:when=20+30"):
        refused = send(server, book, count)
        assert 0 < refused < 2 * count, "none has failed, or all"
    look(server, book, history)
    until(lambda: deliver(server, book) == append(server, book) == "", "mail to be taken again")
    server.strike()
    server.wait_until_gone()
    server.start()
    look(server, book, history)
    assert "sound" in server.cli("store", "check")
    server.stop()
    print(f"\n{2 * count} messages, every 30th write {error}: {refused} refused, absent, none lost")


def _loaded(server: Server) -> bool:
    """Whether libfiu stands before the calls of every worker."""
    return all(
        name in Path(f"/proc/{pid}/maps").read_text() for pid in server.workers() for name in _LIBRARIES
    )
