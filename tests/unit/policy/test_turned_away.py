"""Who was turned away is in the trail, and cannot fill the disk by it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from postroad.db.database import Database
from postroad.policy import turned_away
from postroad.policy.turned_away import QUIET_SECONDS, TurnedAway
from postroad.testing.clock import ManualClock
from postroad.trail.record import find
from postroad.trail.sentences import tell
from tests.unit.db.test_group import play


def played(folder: Path, scene: Callable[[TurnedAway, Database, ManualClock], Awaitable[None]]) -> None:
    async def work(database: Database) -> None:
        clock = ManualClock()
        await scene(TurnedAway(database, clock), database, clock)

    play(folder, work)


def told(database: Database, address: str | None = None) -> list[list[str]]:
    trails = database.read(lambda reader: find(reader, address=address, limit=10_000))
    return [[line.text for line in tell(trail, str).lines] for trail in trails]


def test_an_address_has_a_row_with_its_reasons(tmp_path: Path) -> None:
    async def scene(away: TurnedAway, database: Database, clock: ManualClock) -> None:
        for reason in ("too many", "too many", "spoke first"):
            away.note("192.0.2.1", reason)
        away.note("2001:db8::1", "too many")
        away.note("", "a Unix socket has no address")
        await away.write()
        assert told(database, "192.0.2.1") == [["too many, 2 times", "spoke first"]]
        assert told(database, "2001:db8::1") == [["too many"]]
        assert len(told(database)) == 2

    played(tmp_path, scene)


def test_within_an_hour_there_is_no_other(tmp_path: Path) -> None:
    async def scene(away: TurnedAway, database: Database, clock: ManualClock) -> None:
        for _ in range(3):
            away.note("192.0.2.1", "too many")
            await away.write()
        assert len(told(database)) == 1
        await clock.advance(QUIET_SECONDS)
        away.note("192.0.2.1", "too many")
        await away.write()
        assert len(told(database)) == 2

    played(tmp_path, scene)


def test_of_many_addresses_few_are_noted(tmp_path: Path) -> None:
    async def scene(away: TurnedAway, database: Database, clock: ManualClock) -> None:
        for n in range(turned_away.MOST + 50):
            away.note(f"10.0.{n // 250}.{n % 250}", "too many")
            if n % 500 == 0:
                await away.write()
        for n in range(100):
            away.note("10.0.0.3", f"reason {n}")
        await away.write()
        rows = told(database)
        assert len(rows) == turned_away.MOST
        assert max(map(len, rows)) <= turned_away.REASONS
        await clock.advance(QUIET_SECONDS)
        away.note("10.1.1.1", "too many")
        await away.write()
        assert len(told(database, "10.1.1.1")) == 1, "there is room again"

    played(tmp_path, scene)


def test_it_is_written_when_there_is_something_to_write(tmp_path: Path) -> None:
    async def scene(away: TurnedAway, database: Database, clock: ManualClock) -> None:
        task = asyncio.create_task(away.mind())
        await clock.advance(86400)
        away.note("192.0.2.1", "too many")
        await clock.advance(turned_away.EVERY_SECONDS)
        while not told(database):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    played(tmp_path, scene)
