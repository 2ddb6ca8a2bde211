"""The database as the services see it: `read`, `read_long`, `write`.

Short questions are asked over the connection that writes as long as no
transaction is open there: what it has written it need not read again. The
other one forgets all its pages with each commit, since it has made none.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from postroad.db.ballast import Ballast
from postroad.db.checkpoint import Checkpoints
from postroad.db.commits import Answers
from postroad.db.connect import LOCK_NAME, connect
from postroad.db.group import GroupCommit, Packs
from postroad.db.lock import WriteLock
from postroad.db.transaction import JointWork, Reader, Row, Work
from postroad.db.trouble import INDEX, as_unavailable
from postroad.model.clock import Clock
from postroad.model.refusal import Unavailable
from postroad.obs.log import log

T = TypeVar("T")
P = TypeVar("P")
_UNKNOWN: Final = object()


class Database:
    """One worker's connections: one that writes, one for short questions meanwhile, one for long ones."""

    def __init__(self, data: Path, clock: Clock, packs: Packs, tell: Callable[[list[str]], None]) -> None:
        self._writer = connect(data, writable=True)
        self._reader = connect(data, writable=False)
        self._data = data
        self._lock = WriteLock(data / LOCK_NAME)
        self._checkpoints = Checkpoints(data, self._writer)
        self._group = GroupCommit(
            self._writer, self._lock, self._checkpoints, packs, Ballast(data), clock, tell
        )
        self._between, self._meanwhile = Reader(self._writer), Reader(self._reader)
        self._meanwhile.row("SELECT count(*) FROM sqlite_schema")  # maps what `Answers` looks at
        self._answers = Answers(data)
        self._long = ThreadPoolExecutor(1, thread_name_prefix="read")

    async def write(self, work: Work[T]) -> T:
        """Run `work` in a transaction; durable when this returns (see `GroupCommit.write`)."""
        return await self._group.write(work)

    def write_together(self, work: JointWork[P, T], piece: P) -> asyncio.Future[T]:
        """Have `work` done for all who come with a piece of it (see `GroupCommit.write_together`)."""
        return self._group.write_together(work, piece)

    def read(self, work: Callable[[Reader], T]) -> T:
        """Answer a short question here and now, from one moment's state.

        A point read takes 5 to 9 µs; a hop to a thread would take ten times that.

        Raises:
            Unavailable: the disk does not give what it should.
        """
        try:
            return self._at_hand().at_one_moment(work)
        except INDEX as error:
            raise _failed(error) from error

    def ask(self, work: Callable[[Reader], T]) -> T:
        """Answer what one statement answers: that is of one moment by itself, and costs a third.

        Raises:
            Unavailable: the disk does not give what it should.
        """
        try:
            return work(self._at_hand())
        except INDEX as error:
            raise _failed(error) from error

    def row(self, sql: str, *params: Any) -> Row | None:
        """Answer what one statement answers with its first row, or None where there is none.

        What has been asked since anybody has committed anything is not asked again.

        Raises:
            Unavailable: the disk does not give what it should.
        """
        known = self._answers.now()
        question = (sql, params)
        row: Row | None = known.get(question, _UNKNOWN)
        if row is _UNKNOWN:
            try:
                row = known[question] = self._at_hand().row(sql, *params)
            except INDEX as error:
                raise _failed(error) from error
        return row

    async def read_long(self, work: Callable[[Reader], T]) -> T:
        """Answer a question that may take longer, in a thread with its own connection.

        Raises:
            Unavailable: the disk does not give what it should.
        """

        def ask() -> T:
            try:
                connection = connect(self._data, writable=False)
                try:
                    return Reader(connection).at_one_moment(work)
                finally:
                    connection.close()
            except INDEX as error:
                raise _failed(error) from error

        return await asyncio.get_running_loop().run_in_executor(self._long, ask)

    async def close(self) -> None:
        """Finish what is under way and close all connections."""
        await self._group.close()
        self._checkpoints.close()
        self._long.shutdown(wait=True)
        self._answers.close()
        self._reader.close()
        self._writer.close()
        self._lock.close()

    def _at_hand(self) -> Reader:
        return self._meanwhile if self._group.is_open else self._between


def _failed(error: Exception) -> Unavailable:
    log.error("store.read_failed", error=repr(error))
    return as_unavailable(error)
