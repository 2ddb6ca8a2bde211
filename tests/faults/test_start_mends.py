"""`postroad serve` finds its index gone, old or cut short: it mends, says so, and serves."""

import asyncio
import shutil
from pathlib import Path

from tests.faults.conftest import Start
from tests.faults.load import ADA, Book, append, deliver, under_load
from tests.faults.reading import History, check
from tests.faults.server import Server


def take_some(server: Server, book: Book) -> None:
    """Mail comes in until all is killed in the middle of it."""

    async def kill() -> None:
        before = len(book.taken)
        while len(book.taken) < before + 20:
            await asyncio.sleep(0.01)
        server.strike()

    ways = [lambda: deliver(server, book, ADA), lambda: append(server, book)]
    asyncio.run(under_load(ways, kill))
    server.wait_until_gone()


def test_the_index_is_old_then_gone_then_cut(start: Start, tmp_path: Path) -> None:
    server, data, kept = start(), tmp_path / "data", tmp_path / "kept"
    book, history = Book(), History()
    shutil.copytree(data, kept, ignore=shutil.ignore_patterns("bus", "spool", "run"))
    for times, trouble in enumerate(("old", "gone", "cut"), 1):
        take_some(server, book)
        log = data / "index.db-wal"
        if trouble == "cut":
            log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])
        else:
            for file in data.glob("index.db*"):
                file.unlink()
        if trouble == "old":
            for file in kept.glob("index.db*"):
                shutil.copy(file, data)
        server.start()
        assert server.log().count("store.mended") == times
        assert server.log().count("was made again from the packs") == times
        check(server, book, history, bodies=True)
    assert "sound" in server.cli("store", "check")
    server.stop()
