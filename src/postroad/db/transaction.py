"""What a verb of the store is handed: SQL, time, packs and a bell.

Work is a plain function over a `Transaction`. It runs whole or not at all;
what it returns is believed only after the group's commit (`db.group`).
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import apsw

T = TypeVar("T")
P = TypeVar("P")
Row: TypeAlias = tuple[Any, ...]
_TOGETHER: Final = 20
"""Rows that one statement inserts where there are many."""


class Asked(Protocol):
    """Whoever answers what one statement answers: a reader, or the database itself."""

    def row(self, sql: str, *params: Any) -> Row | None:
        """The first row, or None."""
        ...


class Reader:
    """Questions to the database, each answered as of the moment at which it is asked."""

    __slots__ = ("_connection", "_execute")

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute

    def at_one_moment(self, work: Callable[["Reader"], T]) -> T:
        """Ask several questions and have them answered as of one moment."""
        self._execute("BEGIN")
        try:
            return work(self)
        finally:
            if self._connection.in_transaction:  # SQLite ends it by itself when the disk fails
                self._execute("COMMIT")

    def row(self, sql: str, *params: Any) -> Row | None:
        """The first row, or None."""
        return self._execute(sql, params).fetchone()

    def rows(self, sql: str, *params: Any) -> list[Row]:
        """All rows."""
        return self._execute(sql, params).fetchall()

    def value(self, sql: str, *params: Any) -> Any:
        """The first column of the first row, or None."""
        row = self._execute(sql, params).fetchone()
        return row[0] if row is not None else None


class Appender(Protocol):
    """The active pack, as a transaction sees it (see `store.blobs.pack`)."""

    def blob(self, body: Any, digest: bytes, at: float) -> tuple[int, int]: ...
    def journal(self, line: bytes) -> None: ...


class Transaction(Reader):
    """A reader that may also write."""

    __slots__ = ("_change", "_change_each", "_topics", "following", "now", "packs")

    def __init__(self, connection: apsw.Connection, now: float, packs: Appender) -> None:
        super().__init__(connection)
        # Each statement that gives rows has a cursor of its own; to all others one is enough.
        cursor = connection.cursor()
        self._change, self._change_each = cursor.execute, cursor.executemany
        self.now = now
        self.packs = packs
        self._topics: dict[str, None] = {}
        self.following: list[Callable[[], None]] = []
        """What `then` was called with."""

    def run(self, sql: str, *params: Any) -> None:
        """Execute a statement that gives no rows."""
        self._change(sql, params)

    def run_many(self, sql: str, rows: list[Row]) -> None:
        """Execute a statement once for each row of parameters."""
        self._change_each(sql, rows)

    def insert_many(self, sql: str, rows: list[Row]) -> None:
        """Do the same with an INSERT that ends with its VALUES: a statement for many rows takes less."""
        whole = len(rows) - len(rows) % _TOGETHER
        for at in range(0, whole, _TOGETHER):
            self._change(_together(sql), [*chain.from_iterable(rows[at : at + _TOGETHER])])
        if whole < len(rows):
            self._change_each(sql, rows[whole:] if whole else rows)

    def changes(self) -> int:
        """How many rows the last statement touched."""
        return self._connection.changes()

    def inserted(self) -> int:
        """The rowid of the last INSERT."""
        return self._connection.last_insert_rowid()

    def wake(self, topic: str) -> None:
        """Send a hint to every worker once this is committed."""
        self._topics[topic] = None

    def then(self, call: Callable[[], None]) -> None:
        """Have something called here once this is committed, behind those who wait for it; never otherwise.

        It is not called either where it is not known whether the commit stands.
        """
        self.following.append(call)

    def topics(self) -> list[str]:
        """What `wake` was called with."""
        return list(self._topics)


Work: TypeAlias = Callable[[Transaction], T]
JointWork: TypeAlias = Callable[[Transaction, Sequence[P]], Sequence[T]]
"""Work for several at once, of whom each has brought a piece: a result for each, in their order."""


@cache  # of the few statements that are in the program
def _together(sql: str) -> str:
    return sql + ("," + sql.rpartition("VALUES")[2]) * (_TOGETHER - 1)
