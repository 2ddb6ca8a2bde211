"""Opening the SQLite file: one place for the pragmas that durability rests on."""

from pathlib import Path
from typing import Final

import apsw

DATABASE_NAME: Final = "index.db"
LOCK_NAME: Final = "index.lock"

_CACHE_KIB: Final = 16 * 1024
CHECKPOINT_PAGES: Final = 4000
_STATEMENTS: Final = 200
"""apsw forgets a prepared statement after so many executions of any others, more than most groups have,
and looks through all that it has for each: through a thousand for 2,500 instructions."""
_WAL_KEPT: Final = 64 * 1024 * 1024  # what a long read has made it grow beyond is given back


def connect(data: Path, *, writable: bool) -> apsw.Connection:
    """Open the index below `data`.

    `synchronous=FULL` is the promise behind every 250: with NORMAL a power cut
    was seen to lose acknowledged commits (SAFETY). Waiting for other writers
    is done with the lock file (`db.lock`), which queues in the kernel;
    the busy time-out is for a person with a SQLite shell.
    """
    flags = apsw.SQLITE_OPEN_READWRITE
    if writable:
        flags |= apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(data / DATABASE_NAME), flags=flags, statementcachesize=_STATEMENTS)
    # Otherwise, as apsw builds SQLite (STAT4), whatever compares a column of an index with a parameter is
    # compiled anew each time: 20 µs for a look-up of 2.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.set_busy_timeout(10_000)
    connection.pragma("journal_mode", "wal")
    connection.pragma("synchronous", "full")
    connection.pragma("cache_size", -_CACHE_KIB)
    connection.pragma("temp_store", "memory")
    connection.pragma("foreign_keys", False)
    if writable:
        connection.pragma(
            "wal_autocheckpoint", 0
        )  # `db.checkpoint` and `db.offline` see to it, and see it fail
        connection.pragma("journal_size_limit", _WAL_KEPT)
    else:
        connection.pragma("query_only", True)
    return connection
