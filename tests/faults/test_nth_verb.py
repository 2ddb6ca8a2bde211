"""The Nth operation of each verb of queue, directory and accounts fails: before or after, never between (A7).

Each verb is tried on a copy of the store as it was before it, with one fault
after the other. What was refused left nothing; a crash at that moment leaves
what was before, or what would have been after; and when the disk is well
again the same verb, in the same process, does what it was to do.
"""

import asyncio
import errno
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final, TypeAlias

import apsw
import pytest
from structlog.testing import capture_logs

from postroad.db.offline import open_database, prepare_data
from postroad.db.transaction import Reader
from postroad.directory import snapshot
from postroad.model.refusal import Unavailable
from postroad.store.blobs.pack import ActivePack
from postroad.store.blobs.reader import PackReader
from postroad.store.check import check
from postroad.store.store import Store
from postroad.store.sweep import SAFE_SECONDS, sweep_blobs_now
from postroad.testing.clock import ManualClock
from tests.faults.faulty_disk import SHORT, FaultyDisk, faulty_disk
from tests.faults.steps import ACCOUNTS, DIRECTORY, QUEUE, SHARING, Step, seen
from tests.faults.torn import copy_store

State: TypeAlias = dict[str, Any]
REFUSED: Final = (Unavailable, OSError, apsw.Error)
"""What a command ends with, or a session answers for."""
START: Final = 1_800_000_000.0
STEPS: Final = DIRECTORY | QUEUE | SHARING | ACCOUNTS
MOST: Final = 100


class Desk:
    """A process with a store open: does a step, and looks."""

    def __init__(self, do: Callable[[Step], object], ask: Callable[[Callable[[Reader], Any]], Any]) -> None:
        self.do = do
        self.ask = ask

    def seen(self) -> State:
        """Everything that is there."""
        state: State = self.ask(seen)
        return state


Opened: TypeAlias = Callable[[Path], AbstractContextManager[Desk]]


@contextmanager
def command(data: Path) -> Iterator[Desk]:
    """As the command line writes."""
    packs = ActivePack(data / "packs")
    with closing(packs), open_database(data, packs, ManualClock(START)) as database:
        yield Desk(database.write, database.read)


@contextmanager
def server(data: Path) -> Iterator[Desk]:
    """As a worker writes."""
    with asyncio.Runner() as runner:

        async def opened() -> Store:
            return Store(data, ManualClock(START), name="w0")

        store = runner.run(opened())
        try:
            yield Desk(lambda step: runner.run(store.database.write(step)), store.database.read)
        finally:
            runner.run(store.close())


WAYS: Final = list(product((command, server), (False, True), (errno.EIO, errno.ENOSPC, SHORT)))
"""Who writes, whether the disk is gone for good, and how it fails."""


@pytest.fixture(scope="module")
def disk() -> Iterator[FaultyDisk]:
    with faulty_disk() as disk, capture_logs():
        yield disk


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory, disk: FaultyDisk) -> dict[str, Path]:
    """The store before each step, and at the end, by the step's name."""
    folder = tmp_path_factory.mktemp("steps")
    data, copies = folder / "data", {}
    prepare_data(data)
    for name, step in STEPS.items():
        copies[name] = copy_store(data, folder / name)
        with command(data) as desk:
            desk.do(step)
    copies["the end"] = copy_store(data, folder / "the end")
    return copies


def looked_at(data: Path) -> State:
    """What the next start finds: sound, and every octet there."""
    with command(data) as desk, closing(PackReader(data / "packs")) as packs:
        assert desk.ask(lambda reader: list(check(reader, packs))) == []
        places = desk.ask(lambda r: r.rows("SELECT pack, offset, length, digest FROM blob WHERE refs > 0"))
        assert all(packs.digest(*place) == digest for *place, digest in places)
        return desk.seen()


def each_fault(
    disk: FaultyDisk, start: Path, work: Path, opened: Opened, step: Step, fault: int, for_good: bool
) -> int:
    """Let the first operation of a step fail, then the second, and so on; give how many there were."""
    with command(Path(shutil.copytree(start, work))) as desk:
        earlier = desk.seen()
        desk.do(step)
        later = desk.seen()
    shutil.rmtree(work)
    for fail_at in range(1, MOST):
        crashed = work.with_name(f"{work.name}-crashed")
        shutil.copytree(start, work)
        with opened(work) as desk:
            disk.arm(fail_at, fault, for_good=for_good)
            try:
                desk.do(step)
            except REFUSED:
                assert disk.failed, "refused for no reason"
                shutil.copytree(work, crashed, ignore=shutil.ignore_patterns("bus"))
                passed = disk.passed
                disk.heal()
                assert desk.seen() == earlier, f"operation {fail_at}: refused, and yet something was done"
                desk.do(step)
            else:
                passed = disk.passed
                disk.heal()
            assert desk.seen() == later, f"operation {fail_at}"
        if crashed.exists():
            assert looked_at(crashed) in (earlier, later), f"operation {fail_at}: between before and after"
            shutil.rmtree(crashed)
        assert looked_at(work) == later, f"operation {fail_at}"
        shutil.rmtree(work)
        if passed:
            return fail_at - 1
    raise AssertionError("the step never comes to an end")


def each_step(
    disk: FaultyDisk, before: dict[str, Path], work: Path, how: tuple[Opened, bool, int], names: Sequence[str]
) -> int:
    """Try some of the steps; give how many operations failed."""
    opened, for_good, fault = how
    failed = 0
    for name in names:
        try:
            count = each_fault(disk, before[name], work, opened, STEPS[name], fault, for_good)
        except BaseException as error:
            error.add_note(f"at the step {name!r}")
            raise
        assert count >= 5, f"{name}: a write and a sync of the pack, the same of the index, were not counted"
        failed += count
    return failed


@pytest.mark.parametrize("number", range(len(WAYS)))
def test_every_step_is_done_or_not(
    disk: FaultyDisk, before: dict[str, Path], tmp_path: Path, number: int
) -> None:
    """Each step with one of the faults."""
    each_step(disk, before, tmp_path / "work", WAYS[number], list(STEPS)[number :: len(WAYS)])


@pytest.mark.soak
def test_every_step_with_every_fault(disk: FaultyDisk, before: dict[str, Path], tmp_path: Path) -> None:
    failed = sum(each_step(disk, before, tmp_path / "work", way, list(STEPS)) for way in WAYS)
    print(f"\n{len(STEPS)} verbs, {failed} operations that failed: each before or after, never between")


def test_the_file_of_the_directory_is_old_or_new(
    disk: FaultyDisk, before: dict[str, Path], tmp_path: Path
) -> None:
    """`directory.json` is written beside, synced and renamed."""
    with command(before["account"]) as desk:
        desk.ask(lambda reader: snapshot.save(reader, before["account"]))
    for _, for_good, fault in WAYS[: len(WAYS) // 2]:
        for fail_at in range(1, MOST):
            work = tmp_path / "work"
            shutil.copytree(before["the end"], work)
            shutil.copy(before["account"] / snapshot.FILE_NAME, work)
            old = snapshot.load(work)
            with command(work) as desk:
                disk.arm(fail_at, fault, for_good=for_good)
                with suppress(*REFUSED):
                    desk.ask(lambda reader: snapshot.save(reader, work))  # noqa: B023 - called at once
                passed = disk.passed
                disk.heal()
                new = desk.ask(snapshot.collect)
                assert snapshot.load(work) in (old, new)
                desk.ask(lambda reader: snapshot.save(reader, work))  # noqa: B023 - called at once
                assert snapshot.load(work) == new != old
            shutil.rmtree(work)
            if passed:
                break
        assert fail_at > 3, "two syncs and a rename were not counted"


def test_freed_octets_are_punched_or_found_again(
    disk: FaultyDisk, before: dict[str, Path], tmp_path: Path
) -> None:
    for _, for_good, fault in WAYS[: len(WAYS) // 2]:
        for fail_at in range(1, MOST):
            data = Path(shutil.copytree(before["the end"], tmp_path / "work"))
            packs = ActivePack(data / "packs")
            with closing(packs), open_database(data, packs, ManualClock(START)) as database:
                sweep = partial(sweep_blobs_now, database, data / "packs", START + 2 * SAFE_SECONDS)
                earlier = database.read(seen)
                disk.arm(fail_at, fault, for_good=for_good)
                try:
                    count = sweep()
                except REFUSED:
                    passed = disk.passed
                    disk.heal()
                    assert database.read(seen) == earlier
                    count = sweep()
                else:
                    passed = disk.passed
                    disk.heal()
                freed = [blob for blob in earlier["blob"] if blob[3] == 0]
                assert count == len(freed) > 2
                assert database.read(seen)["blob"] == [blob for blob in earlier["blob"] if blob not in freed]
            looked_at(data)
            shutil.rmtree(data)
            if passed:
                break
        assert fail_at > count, "a hole for each was not counted"
