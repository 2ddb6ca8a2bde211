"""Rows that go from an old index into a new one."""

from collections.abc import Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final

from postroad.db.connect import connect
from postroad.db.transaction import Transaction

_STEP: Final = 1000


def copy_tables(tx: Transaction, data: Path, tables: Iterable[str]) -> None:
    """Copy whole tables from the index below `data` into empty ones of another, which `tx` writes to."""
    with closing(connect(data, writable=False)) as old:
        for table in tables:
            columns = [str(row[1]) for row in old.execute(f"PRAGMA table_info({table})")]
            names, marks = ", ".join(columns), ", ".join("?" * len(columns))
            rows = iter(old.execute(f"SELECT {names} FROM {table}"))  # noqa: S608 - names that we gave
            while some := list(islice(rows, _STEP)):
                tx.run_many(f"INSERT INTO {table} ({names}) VALUES ({marks})", some)  # noqa: S608 - the same
