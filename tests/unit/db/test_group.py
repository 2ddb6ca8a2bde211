"""Group commit: whatever goes wrong, nobody waits for ever and the next group goes on."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from postroad.db.database import Database
from postroad.db.haste import QUICK
from postroad.db.offline import prepare_data
from postroad.db.transaction import Transaction
from postroad.model.clock import Clock
from postroad.model.refusal import Unavailable
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
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
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
