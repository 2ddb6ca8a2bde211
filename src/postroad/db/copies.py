"""Copies of the index, taken before its schema changes: `index.db.schema-1` is how it was at schema 1.

There is one for each schema that was left, and none for longer than `KEPT_DAYS`:
what has arrived since is not in it, so it soon is of little use.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import apsw

from postroad.config.values import about_size
from postroad.db.connect import DATABASE_NAME

KEPT_DAYS: Final = 30
_NAME: Final = DATABASE_NAME + ".schema-"
_STEP: Final = 1024  # pages between two reports
_ROOM_TO_WORK: Final = 8 * 1024 * 1024


class NoRoomToUpgrade(Exception):
    """The disk cannot hold the index twice."""


def copy_path(data: Path, version: int) -> Path:
    """Where the copy of the index at schema `version` is kept."""
    return data / f"{_NAME}{version}"


def copy_index(
    connection: apsw.Connection, data: Path, version: int, progress: Callable[[int, int], None]
) -> Path:
    """Copy the index; whole and durable when this returns. Nobody may write meanwhile.

    `progress` is told pages done and pages in all.

    Raises:
        NoRoomToUpgrade: nothing was done.
    """
    _check_room(connection, data)
    path = copy_path(data, version)
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)  # of an upgrade that was killed
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        copy_pages(connection, beside, progress)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(path)
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path


def copy_pages(connection: apsw.Connection, path: Path, progress: Callable[[int, int], None]) -> None:
    """Copy the database page by page, as it is laid out; a copy of nothing new is the same to the octet.

    `progress` is told pages done and pages in all.
    """
    target = apsw.Connection(str(path))
    try:
        with target.backup("main", connection, "main") as backup:
            while not backup.done:
                backup.step(_STEP)
                progress(backup.page_count - backup.remaining, backup.page_count)
    finally:
        target.close()


def prune_copies(data: Path, now: float) -> list[Path]:
    """Remove copies that are too old to be wanted; give which."""
    old = [path for path in data.glob(_NAME + "*") if path.stat().st_mtime < now - KEPT_DAYS * 24 * 3600]
    for path in old:
        path.unlink()
    return old


def _check_room(connection: apsw.Connection, data: Path) -> None:
    """The copy has to fit, and beside it what the change itself writes."""
    size = int(connection.pragma("page_count")) * int(connection.pragma("page_size"))
    needed = size + size // 4 + _ROOM_TO_WORK
    status = os.statvfs(data)
    free = status.f_bavail * status.f_frsize
    if free < needed:
        raise NoRoomToUpgrade(
            f"changing the schema of {data} takes {about_size(needed)} of room for a copy of the index, "
            f"{about_size(free)} are free: nothing was changed; make room and start again"
        )
