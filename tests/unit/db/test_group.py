"""Group commit: whatever goes wrong, nobody waits for ever and the next group goes on."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest

from postroad.db.ballast import Ballast
from postroad.db.checkpoint import Checkpoints
from postroad.db.database import Database
from postroad.db.haste import QUICK
from postroad.db.offline import prepare_data
from postroad.db.transaction import Transaction
from postroad.model.clock import Clock
from postroad.model.refusal import NoSpace, Unavailable
from postroad.net.clock import SystemClock
from postroad.store.blobs.pack import ActivePack


def play(
    data: Path,
    work: Callable[[Database], Coroutine[Any, Any, None]],
    tell: Callable[[list[str]], None] = lambda _: None,
    clock: Clock | None = None,
) -> None:
    prepare_data(data)

    async def opened() -> None:
        packs = ActivePack(data / "packs")
        database = Database(data, clock or SystemClock(), packs, tell)
        try:
            async with asyncio.timeout(20):
                await work(database)
        finally:
            await database.close()
            packs.close()

    asyncio.run(opened())


def one(tx: Transaction) -> int:
    return int(tx.value("SELECT 1"))


def test_a_hint_that_cannot_be_given_keeps_nobody_waiting(tmp_path: Path) -> None:
    def broken(_: list[str]) -> None:
        raise OSError(24, "Too many open files")

    async def work(database: Database) -> None:
        assert await database.write(one) == 1
        assert await database.write(one) == 1

    play(tmp_path, work, broken)


def test_a_stray_stop_iteration_is_an_error_like_any_other(tmp_path: Path) -> None:
    def stray(_: Transaction) -> int:
        return next(iter(list[int]()))

    async def work(database: Database) -> None:
        results = await asyncio.gather(database.write(stray), database.write(one), return_exceptions=True)
        assert isinstance(results[0], RuntimeError)
        assert results[1] == 1

    play(tmp_path, work)


def test_who_cannot_get_the_lock_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(database: Database) -> None:
        def no_locks() -> bool:
            raise OSError(37, "No locks available")

        with monkeypatch.context() as patch:
            patch.setattr("postroad.db.lock.WriteLock.try_acquire", lambda _: no_locks())
            with pytest.raises(Unavailable):
                await database.write(one)
        assert await database.write(one) == 1

    play(tmp_path, work)


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    closed: list[Database] = []

    async def work(database: Database) -> None:
        closed.append(database)

    play(tmp_path, work)

    async def late() -> None:
        with pytest.raises(Unavailable):
            await closed[0].write(one)

    asyncio.run(late())


def test_who_comes_while_the_store_closes_is_told_so(tmp_path: Path) -> None:
    """Just when the last group has ended and nobody has noticed yet."""

    async def work(database: Database) -> None:
        over = asyncio.Event()

        async def late() -> None:
            await over.wait()
            with pytest.raises(Unavailable, match="closed"):
                await database.write(one)

        comes = asyncio.ensure_future(late())
        last = asyncio.ensure_future(database.write(lambda tx: tx.then(over.set)))
        await asyncio.sleep(0)
        await database._group.close()
        await last
        await comes

    play(tmp_path, work)


@pytest.mark.parametrize("company", [0, 1])
def test_a_disk_that_is_full_is_called_that_where_sqlite_has_undone_the_group(
    tmp_path: Path, company: int
) -> None:
    def full(tx: Transaction) -> None:
        tx.run("ROLLBACK")  # sqlite.org/lang_transaction.html: so it does for FULL and IOERR
        raise apsw.FullError("database or disk is full")

    async def work(database: Database) -> None:
        writes = [database.write(full), *(database.write(one) for _ in range(company))]
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert [type(result) for result in results] == [NoSpace] * (1 + company)
        assert await database.write(one) == 1

    play(tmp_path, work)


def test_lone_work_that_fails_leaves_nothing_and_the_next_goes_on(tmp_path: Path) -> None:
    def spoilt(tx: Transaction) -> None:
        tx.run("UPDATE directory_state SET version = version + 1000")
        tx.packs.journal(b"postroad/1 note text=never\n")
        raise ValueError("no")

    def version(tx: Transaction) -> int:
        return int(tx.value("SELECT version FROM directory_state"))

    def noted(tx: Transaction) -> None:
        tx.packs.journal(b"postroad/1 note text=kept\n")

    async def work(database: Database) -> None:
        before = await database.write(version)
        with pytest.raises(ValueError, match="no"):
            await database.write(spoilt)
        await database.write(noted)
        assert await database.write(version) == before
        results = await asyncio.gather(database.write(noted), database.write(spoilt), return_exceptions=True)
        assert results[0] is None
        assert isinstance(results[1], ValueError)
        assert await database.write(version) == before

    play(tmp_path, work)
    packs = b"".join(path.read_bytes() for path in (tmp_path / "packs").glob("*.pack"))
    assert packs.count(b"text=kept") == 2
    assert b"text=never" not in packs


def test_what_is_to_follow_a_commit_follows_it(tmp_path: Path) -> None:
    followed: list[tuple[int, bool]] = []

    async def work(database: Database) -> None:
        def promise(number: int) -> Callable[[Transaction], None]:
            return lambda tx: tx.then(lambda: followed.append((number, told.done())))

        def broken(tx: Transaction) -> None:
            promise(0)(tx)
            raise KeyError

        told = asyncio.ensure_future(database.write(promise(1)))
        with pytest.raises(KeyError):
            await database.write(broken)
        with pytest.raises(KeyError):
            await database.write(broken)  # alone
        await asyncio.gather(told, database.write(promise(2)))
        await database.write(one)

    play(tmp_path, work)
    assert followed == [(1, True), (2, True)]


def test_what_goes_wrong_behind_a_commit_is_nobody_elses_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[int] = []
    told: list[str] = []

    def broken(*_: object) -> None:
        raise OSError(5, "Input/output error")

    def write(tx: Transaction) -> str:
        tx.then(broken)
        tx.then(lambda: followed.append(1))
        tx.wake("topic")
        return "stands"

    async def work(database: Database) -> None:
        assert await database.write(write) == "stands"
        await database.write(one)

    for service in (Checkpoints.look, Checkpoints.finish, ActivePack.committed, Ballast.mend):
        with monkeypatch.context() as patch:
            patch.setattr(f"{service.__module__}.{service.__qualname__}", broken)
            play(tmp_path, work, told.extend)
    assert followed == [1] * 4
    assert told == ["topic"] * 4


def test_nothing_follows_a_commit_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[int] = []

    async def work(database: Database) -> None:
        def no_disk(_: ActivePack) -> None:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(ActivePack, "sync", no_disk)
            with pytest.raises(Unavailable):
                await database.write(lambda tx: tx.then(lambda: followed.append(1)))
        assert await database.write(one) == 1

    play(tmp_path, work)
    assert not followed


class HeldClock(SystemClock):
    """Stands still between commits, so that nothing depends on how busy this machine is."""

    passed = 0.0

    def monotonic(self) -> float:
        return self.passed


def test_the_loop_commits_while_the_disk_is_quick_and_a_thread_while_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, takes = HeldClock(), 0.0
    where: list[threading.Thread] = []

    def sync(_: ActivePack) -> None:
        where.append(threading.current_thread())
        clock.passed += takes

    async def work(database: Database) -> None:
        nonlocal takes
        here = threading.current_thread()
        for _ in range(3):
            await database.write(one)
        assert where == [here] * 3
        takes = 1.0  # it got stuck once: whoever came next would have been stuck as well
        await database.write(one)
        takes = QUICK / 2
        await database.write(one)
        assert where[3] is here
        assert where[4] is not here
        for _ in range(100):
            await database.write(one)
        assert where[-1] is here

    monkeypatch.setattr(ActivePack, "sync", sync)
    play(tmp_path, work, clock=clock)


def test_a_large_message_is_synced_beside_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where: list[threading.Thread] = []

    async def work(database: Database) -> None:
        await database.write(lambda tx: tx.packs.blob(b"m" * 1024, b"d" * 32, 0))
        await database.write(lambda tx: tx.packs.blob(b"m" * 1024 * 1024, b"d" * 32, 0))

    monkeypatch.setattr(ActivePack, "sync", lambda _: where.append(threading.current_thread()))
    play(tmp_path, work, clock=HeldClock())
    assert [thread is threading.main_thread() for thread in where] == [True, False]


class Ledger:
    """A joint work that notes down numbers, and bears no negative ones."""

    def __init__(self) -> None:
        self.runs: list[list[int]] = []

    def write(self, tx: Transaction, numbers: Sequence[int]) -> list[int]:
        self.runs.append(list(numbers))
        for number in numbers:
            tx.run("INSERT INTO change (at, who, noun, name) VALUES (?, '', '', ?)", tx.now, str(number))
            if number < 0:
                raise ValueError(number)
        return [10 * number for number in numbers]


def noted(database: Database) -> list[str]:
    return [name for (name,) in database.read(lambda reader: reader.rows("SELECT name FROM change"))]


def test_what_many_bring_is_written_at_once(tmp_path: Path) -> None:
    ledger = Ledger()

    async def work(database: Database) -> None:
        brought = [database.write_together(ledger.write, number) for number in (1, 2, 3)]
        assert await asyncio.gather(*brought[:2], database.write(one), *brought[2:]) == [10, 20, 1, 30]
        assert noted(database) == ["1", "2", "3"]

    play(tmp_path, work)
    assert ledger.runs == [[1, 2, 3]]


@pytest.mark.parametrize("company", [False, True])
def test_nobody_suffers_for_what_others_bring(tmp_path: Path, company: bool) -> None:
    ledger = Ledger()

    async def work(database: Database) -> None:
        brought = [database.write_together(ledger.write, number) for number in (1, -2, 3)]
        others = [database.write(one) for _ in range(company)]
        results = await asyncio.gather(*brought, *others, return_exceptions=True)
        assert isinstance(results[1], ValueError)
        assert (results[0], results[2]) == (10, 30)
        assert noted(database) == ["1", "3"]

    play(tmp_path, work)
    assert ledger.runs == [[1, -2, 3], [1], [-2], [3]]


def test_who_brings_something_alone_is_not_tried_twice(tmp_path: Path) -> None:
    ledger = Ledger()

    async def work(database: Database) -> None:
        with pytest.raises(ValueError, match="-1"):
            await database.write_together(ledger.write, -1)
        assert noted(database) == []

    play(tmp_path, work)
    assert ledger.runs == [[-1]]


def test_who_leaves_takes_nothing_from_others(tmp_path: Path) -> None:
    ledger = Ledger()

    async def work(database: Database) -> None:
        first, second = (database.write_together(ledger.write, number) for number in (1, 2))
        first.cancel()
        assert await second == 20
        assert noted(database) == ["1", "2"]

    play(tmp_path, work)
