"""What is wrong with index and packs at a start, seen without reading a message (ADR 3)."""

import os
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import apsw

from postroad.db.connect import DATABASE_NAME, connect
from postroad.db.log_mover import settle
from postroad.db.migrate import LATEST, schema_of
from postroad.db.transaction import Reader
from postroad.store.blobs.group_line import is_ahead
from postroad.store.blobs.pack import pack_ids, pack_path

QUICK_CHECK_MOST: Final = 256 * 1024 * 1024
"""Octets up to which an index is read whole after a server that was killed: half a second at most."""


@dataclass(slots=True)
class Condition:
    """What was found."""

    rebuild: str = ""
    """Why the index has to be made again; empty when it need not."""
    index_readable: bool = True
    """Whether the index that is there can still tell what the packs do not know."""
    lost: list[str] = field(default_factory=list)
    """Mail that no index brings back, in sentences."""


def examine(data: Path, *, thorough: bool) -> Condition:
    """Look at the index and at the ends of all packs; the server must not run.

    `thorough` also has SQLite check the structure of the index: after an end
    that was none of ours.
    """
    folder = data / "packs"
    packs = pack_ids(folder) if folder.is_dir() else []
    if not (data / DATABASE_NAME).exists():
        used = any(_is_used(pack_path(folder, pack)) for pack in packs)
        return Condition("is missing" if used else "", index_readable=False)
    try:
        with closing(connect(data, writable=True)) as connection:
            reader = Reader(connection)
            if schema_of(connection) > LATEST:
                return Condition()  # whose it is knows what to make of it
            settle(connection)
            if thorough and (data / DATABASE_NAME).stat().st_size <= QUICK_CHECK_MOST:
                verdict = reader.value("PRAGMA quick_check(1)")
                if verdict != "ok":
                    return Condition(f"is damaged ({verdict})", index_readable=False)
            return _compare(reader, folder, packs)
    except (apsw.CorruptError, apsw.NotADBError) as error:
        return Condition(f"is damaged ({error})", index_readable=False)


def _compare(reader: Reader, folder: Path, packs: list[int]) -> Condition:
    condition = Condition()
    tables = {name for (name,) in reader.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if "pack" not in tables:
        if any(_is_used(pack_path(folder, pack)) for pack in packs):
            condition.rebuild = "is empty"
        return condition
    # An index from before there were groups knows of none, and its packs hold none behind their tails.
    number = int(reader.value("SELECT number FROM pack_group")) if "pack_group" in tables else 0
    tails: dict[int, int] = dict(reader.rows("SELECT id, tail FROM pack"))
    for pack in packs:
        fd = os.open(pack_path(folder, pack), os.O_RDONLY | os.O_CLOEXEC)
        try:
            if is_ahead(fd, tails.get(pack, 0), number):
                condition.rebuild = "is older than the packs"
            size = os.fstat(fd).st_size
        finally:
            os.close(fd)
        if size < tails.get(pack, 0) and (lost := _beyond(reader, pack, size)):
            condition.lost.append(f"pack {pack} is cut off at octet {size} and {_messages(lost)} with it")
    for pack in tails.keys() - set(packs):
        if lost := _beyond(reader, pack, 0):
            condition.lost.append(f"pack {pack} is missing and {_messages(lost)} with it")
    return condition


def _beyond(reader: Reader, pack: int, size: int) -> int:
    """How many messages in use end behind `size`."""
    count: int = reader.value(
        "SELECT count(*) FROM blob WHERE pack = ? AND offset + length > ? AND refs > 0", pack, size
    )
    return count


def _messages(count: int) -> str:
    return "1 message" if count == 1 else f"{count} messages"


def _is_used(path: Path) -> bool:
    """Whether anything was ever written to a pack."""
    with path.open("rb") as pack:
        return bool(pack.read(64).strip(b"\0"))
