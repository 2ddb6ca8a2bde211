"""From one schema to another, with a copy taken first: the way up at start, and the way back.

Nobody else may be at work on the database: the caller holds the data directory
(`prepare_start.Instance`). A process that dies anywhere in here leaves the
schema that there was, and the next one begins again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import apsw

from postroad.db.connect import DATABASE_NAME, LOCK_NAME, connect
from postroad.db.copies import copy_index
from postroad.db.lock import WriteLock
from postroad.db.migrate import LATEST, check_way_back, go_back, losses, migrate, refuse_newer, schema_of

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many pages of the index are copied, and how many there are."""


def silent(_done: int, _all: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class WayBack:
    """What going back to an earlier schema would mean."""

    found: int
    version: int
    lost: list[tuple[str, int]]
    """What the earlier schema cannot hold, and how much of it there is."""


def upgrade(data: Path, progress: Progress = silent) -> int:
    """Make the database, or bring it to the latest schema; give the one that it had, 0 for none.

    The index of an older schema is copied first (`db.copies`).

    Raises:
        NewerSchema: it belongs to a newer postroad.
        NoRoomToUpgrade: nothing was changed.
    """
    with _alone(data) as connection:
        found = schema_of(connection)
        refuse_newer(found)
        if 0 < found < LATEST:
            copy_index(connection, data, found, progress)
        migrate(connection)
    return found


def way_back(data: Path, version: int | None = None) -> WayBack:
    """See what would be lost on the way back to `version`, by default the previous one.

    Raises:
        FileNotFoundError: there is no database.
        WrongSchema: there is no way to that version.
    """
    if not (data / DATABASE_NAME).exists():
        raise FileNotFoundError(f"{data} holds no mail store")
    with _alone(data) as connection:
        found = schema_of(connection)
        version = found - 1 if version is None else version
        return WayBack(found, version, losses(connection, version))


def take_back(data: Path, version: int, progress: Progress = silent) -> Path:
    """Take the database back to an earlier schema; give the copy of how it was.

    Raises:
        WrongSchema: there is no way to that version.
        NoRoomToUpgrade: nothing was changed.
    """
    with _alone(data) as connection:
        found = schema_of(connection)
        check_way_back(found, version)
        copy = copy_index(connection, data, found, progress)
        go_back(connection, version)
    return copy


@contextmanager
def _alone(data: Path) -> Iterator[apsw.Connection]:
    """A connection, with the write lock in hand."""
    lock = WriteLock(data / LOCK_NAME)
    lock.acquire()
    try:
        connection = connect(data, writable=True)
        try:
            yield connection
        finally:
            connection.close()
    finally:
        lock.release()
        lock.close()
