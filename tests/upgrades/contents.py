"""Everything that is in a data directory, so that before and after can be compared."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

from postroad.db.connect import connect
from postroad.store.blobs.reader import PackReader
from postroad.store.check import Problem, check
from postroad.store.offline import open_offline

Columns: TypeAlias = Mapping[str, Sequence[str]]
Contents: TypeAlias = dict[str, list[Any]]


def schema(data: Path) -> tuple[int, list[Any]]:
    """The version of the schema, and all of it as it stands in the database."""
    with closing(connect(data, writable=True)) as connection:
        found = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")
        return int(connection.pragma("user_version")), found.fetchall()


def columns(data: Path) -> Columns:
    """Tables and their columns."""
    with closing(connect(data, writable=True)) as connection:
        tables: list[Any] = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table'"
        ).fetchall()
        return {
            table: [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
            for (table,) in tables
            if not table.startswith("sqlite_")
        }


def contents(data: Path, known: Columns | None = None) -> Contents:
    """Every row of the tables and columns `known` (of all by default), and every message."""
    known = columns(data) if known is None else known
    with closing(connect(data, writable=True)) as connection:
        found: Contents = {
            table: sorted(connection.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall(), key=repr)
            for table, names in known.items()
        }
        places: list[Any] = connection.execute(
            "SELECT pack, offset, length FROM blob WHERE refs > 0"
        ).fetchall()
    with closing(PackReader(data / "packs")) as packs:
        found["octets"] = [packs.digest(*place).hex() for place in sorted(places)]
    return found


def export_hash(data: Path, known: Columns) -> str:
    """One digest over all of it."""
    return hashlib.sha256(repr(contents(data, known)).encode()).hexdigest()


def problems(data: Path) -> list[Problem]:
    """What `store check` says."""
    with open_offline(data) as database, closing(PackReader(data / "packs")) as packs:
        return database.read(lambda reader: list(check(reader, packs)))
