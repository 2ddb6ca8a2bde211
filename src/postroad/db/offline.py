"""The database for tools: synchronous, beside a running server or without one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw

from postroad.db.ballast import Ballast
from postroad.db.bus import Bus
from postroad.db.connect import CHECKPOINT_PAGES, DATABASE_NAME, LOCK_NAME, connect
from postroad.db.group import Packs
from postroad.db.lock import WriteLock
from postroad.db.log_mover import LogMover
from postroad.db.migrate import expect_latest
from postroad.db.transaction import Reader, Row, Transaction, Work
from postroad.db.trouble import DISK
from postroad.db.unfinished import refuse_unfinished
from postroad.db.upgrade import Progress, silent, upgrade
from postroad.model.clock import Clock
from postroad.model.refusal import NoSpace

T = TypeVar("T")
_PATIENCE: Final = 20
_PAUSE: Final = 0.02


class OfflineDatabase:
    """`read`, `ask` and `write` as the server has them, one transaction at a time."""

    def __init__(
        self,
        connection: apsw.Connection,
        lock: WriteLock,
        mover: LogMover,
        bus: Bus,
        packs: Packs,
        ballast: Ballast,
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._mover = mover
        self._bus = bus
        self._packs = packs
        self._ballast = ballast
        self._clock = clock

    def read(self, work: Callable[[Reader], T]) -> T:
        """Answer a question from one moment's state."""
        self._connection.execute("BEGIN")
        try:
            return work(Reader(self._connection))
        finally:
            self._connection.execute("COMMIT")

    def row(self, sql: str, *params: Any) -> Row | None:
        """Answer what one statement answers with its first row: that is of one moment by itself."""
        return Reader(self._connection).row(sql, *params)

    def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction of its own; durable when it returns, and the workers know.

        Raises:
            NoSpace: the disk is full; nothing was kept.
        """
        try:
            return self._write(work)
        except DISK as error:
            unavailable = self._ballast.as_unavailable(error)
            if not isinstance(unavailable, NoSpace):
                raise
            raise unavailable from error

    def _write(self, work: Work[T]) -> T:
        tx = Transaction(self._connection, self._clock.now(), self._packs)
        committing = False
        self._lock.acquire()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._packs.begin(tx)
                result = work(tx)
                self._packs.tails(tx)
                self._packs.sync()
                committing = True
                self._connection.execute("COMMIT")
            except BaseException:
                self._packs.abandoned(in_doubt=committing)
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._packs.committed()
            self._move_log()
        finally:
            self._lock.release()
        for call in tx.following:
            call()
        self._tell(tx.topics())
        return result

    def _move_log(self) -> None:
        pages, _ = self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_NOOP)
        if pages >= CHECKPOINT_PAGES:
            with suppress(apsw.Error):  # the commit stands; the log is only longer
                self._mover.move(self._connection)

    def _tell(self, topics: list[str]) -> None:
        said = self._bus.send(topics)
        for _ in range(_PATIENCE):
            if said:
                return
            time.sleep(_PAUSE)
            said = self._bus.send(())


@contextmanager
def open_database(data: Path, packs: Packs, clock: Clock) -> Iterator[OfflineDatabase]:
    """Open the database of a data directory that has the schema of this program.

    It is not upgraded here: a server of an older postroad may be at work on it.

    Raises:
        FileNotFoundError: there is no database; `prepare_data` makes one.
        NewerSchema: it belongs to a newer postroad.
        OlderSchema: it has yet to be upgraded.
    """
    if not (data / DATABASE_NAME).exists():
        raise FileNotFoundError(f"{data} holds no mail store")
    connection = connect(data, writable=True)
    lock = WriteLock(data / LOCK_NAME)
    mover = LogMover(data)
    bus = Bus(data / "bus", None)
    try:
        expect_latest(connection)
        yield OfflineDatabase(connection, lock, mover, bus, packs, Ballast(data), clock)
    finally:
        mover.close()
        bus.close()
        lock.close()
        connection.close()


def prepare_data(data: Path, progress: Progress = silent) -> int:
    """Make a data directory and its database, or upgrade an old one; see `db.upgrade.upgrade`.

    Raises:
        UnfinishedRestore: what is there is half of a restore.
    """
    refuse_unfinished(data)
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    return upgrade(data, progress)
