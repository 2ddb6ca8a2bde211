"""Group commit: many verbs, two syncs (DESIGN section 3, ADR 0001).

Everything that arrived while the previous group was being made durable forms
the next one; no timer is involved. The statements of a group run on the
event loop, because a thread that has to win the interpreter lock back after
each statement takes 350 times as long beside a busy loop (ADR 0001). What
may block for long runs in one thread: the lock between processes where it is
taken, and the two syncs where the disk is slow or the group is large. Where
they take less than the way to the thread and back, the loop does them (ADR 0007).

The order is what a 250 rests on: bodies are written and synced, then the
rows that name them are committed, then the waiters are told.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import apsw

from postroad.db.aside import Aside, raised_by
from postroad.db.ballast import Ballast
from postroad.db.checkpoint import Checkpoints
from postroad.db.haste import Haste
from postroad.db.joint import Share, Unit, one, units_of
from postroad.db.lock import WriteLock
from postroad.db.transaction import Appender, JointWork, Transaction, Work
from postroad.db.trouble import DISK
from postroad.model.clock import Clock
from postroad.model.refusal import Unavailable
from postroad.obs.log import log
from postroad.obs.metrics import COMMIT_SECONDS, GROUP_SIZE

T = TypeVar("T")
P = TypeVar("P")
MOST_IN_A_GROUP: Final = 100
_UNDO_WORK: Final = ("ROLLBACK TO work", "RELEASE work")
_UNDO_LONE_WORK: Final = ("ROLLBACK", "BEGIN IMMEDIATE")


class Packs(Appender, Protocol):
    """The active pack, as the group commit sees it."""

    def mark(self) -> object: ...
    def back_to(self, mark: Any) -> None: ...
    def begin(self, tx: Transaction) -> None: ...
    def tails(self, tx: Transaction) -> None: ...
    def waiting(self) -> int: ...
    def sync(self) -> None: ...
    def committed(self) -> None: ...
    def abandoned(self, *, in_doubt: bool = False) -> None: ...


class GroupCommit:
    """The only way to write, for all of one worker."""

    def __init__(
        self,
        connection: apsw.Connection,
        lock: WriteLock,
        checkpoints: Checkpoints,
        packs: Packs,
        ballast: Ballast,
        clock: Clock,
        tell: Callable[[list[str]], None],
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._checkpoints = checkpoints
        self._packs = packs
        self._ballast = ballast
        self._clock = clock
        self._tell = tell
        self._haste = Haste()
        self._pending: list[tuple[Work[Any] | Share, asyncio.Future[Any]]] = []
        self._group: list[tuple[asyncio.Future[Any], Any]] = []
        self._busy = self._closed = False
        self.is_open = False
        """Whether a transaction is open on the connection, or on its way to the disk."""
        self._thread = Aside("commit")
        self._idle = asyncio.Event()
        self._idle.set()

    async def write(self, work: Work[T]) -> T:
        """Run `work` in the next group; when this returns, it is durable.

        Raises:
            Unavailable: the disk refused; nothing of the group was kept.
            Exception: whatever `work` raised; only its own changes are undone.
        """
        result: T = await self._enter(work)
        return result

    def write_together(self, work: JointWork[P, T], piece: P) -> asyncio.Future[T]:
        """Give a piece of what `work` does for all who bring one to the next group.

        It is run once for all of them. If it fails, once more for each by itself, so that nobody hears
        of what somebody else has brought. What is given comes to what `write` comes to.

        Raises:
            Unavailable: the store is closed.
        """
        return self._enter(Share(work, piece))

    def _enter(self, work: Work[Any] | Share) -> asyncio.Future[Any]:
        if self._closed:
            raise Unavailable("the store is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._pending.append((work, future))
        if not self._busy:
            self._busy = True
            self._idle.clear()
            loop.call_soon(self._begin)
        return future

    async def close(self) -> None:
        """Finish what is under way; who comes from now on is told that it is closed."""
        self._closed = True
        await self._idle.wait()
        self._thread.stop()

    # -- the cycle: begin, run (loop), commit (loop or thread), done (loop) --

    def _begin(self) -> None:
        try:
            free = self._lock.try_acquire()
        except OSError as error:
            self._run_after_lock(error)
            return
        if free:
            self._run()
        else:
            self._thread.run(self._lock.acquire, self._run_after_lock)

    def _run_after_lock(self, error: BaseException | None) -> None:
        if error is None:
            self._run()
        else:
            # Everybody who waits is told; with nobody taken out, this would go round for ever.
            self._group = [(future, None) for _, future in self._pending]
            self._pending.clear()
            self._fail(error)

    def _run(self) -> None:
        jobs = self._pending[:MOST_IN_A_GROUP]
        del self._pending[:MOST_IN_A_GROUP]
        self._group = []
        tx = Transaction(self._connection, self._clock.now(), self._packs)
        self._started = self._clock.monotonic()
        self.is_open = True
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._packs.begin(tx)
            units = units_of(jobs)
            for unit in units:
                results = self._results(tx, unit, alone=len(units) == 1)
                self._group.extend(zip(unit.waiters, results, strict=True))
            self._packs.tails(tx)
        except Exception as error:
            told = {future for future, _ in self._group}
            self._group.extend((future, None) for _, future in jobs if future not in told)
            try:
                self._undo()
            finally:
                self._lock.release()
                self.is_open = False
                self._fail(error)
            return
        GROUP_SIZE.observe(len(jobs))
        self._topics, self._following = tx.topics(), tx.following
        if self._haste.allows(self._packs.waiting()) and not self._checkpoints.has_rest:
            self._done(raised_by(self._commit))
        else:
            self._thread.run(self._commit, self._done)

    def _results(self, tx: Transaction, unit: Unit, *, alone: bool) -> Sequence[Any]:
        """Run a piece of work, or that of many; gives the result or the error of each."""
        work, pieces, _ = unit
        if not pieces:
            return [self._attempt(tx, work, alone=alone)]
        result = self._attempt(tx, lambda tx: work(tx, pieces), alone=alone)
        if not isinstance(result, _Failure):
            found: Sequence[Any] = result
            return found
        if len(pieces) == 1:
            return [result]
        return [self._attempt(tx, partial(one, work, piece), alone=False) for piece in pieces]

    def _attempt(self, tx: Transaction, work: Work[Any], *, alone: bool) -> Any:
        """Run one piece of work; give its result or its error.

        In company it has a savepoint, and SQLite keeps the former state of every page that it
        changes. Alone it has the whole transaction, to which nothing is lost by beginning it again.
        """
        execute = self._connection.execute
        mark, following = self._packs.mark(), len(tx.following)
        if not alone:
            execute("SAVEPOINT work")
        try:
            result = work(tx)
        except Exception as error:
            if not self._connection.in_transaction:
                raise  # SQLite has undone the whole group, as it does where the disk fails it
            for statement in _UNDO_LONE_WORK if alone else _UNDO_WORK:
                execute(statement)
            self._packs.back_to(mark)
            del tx.following[following:]
            return _Failure(self._ballast.as_unavailable(error) if isinstance(error, DISK) else error)
        if not alone:
            execute("RELEASE work")
        return result

    def _commit(self) -> None:
        """Both syncs, in this order, then let the next process in; in the thread where it may take long."""
        committing = False
        began = self._clock.monotonic()
        try:
            self._packs.sync()
            committing = True
            self._connection.execute("COMMIT")
        except BaseException:
            self._undo(in_doubt=committing)
            raise
        else:
            _call(self._packs.committed)
            _call(self._checkpoints.finish)
            _call(self._ballast.mend)
        finally:
            self._haste.took(self._clock.monotonic() - began)
            self._lock.release()

    def _undo(self, *, in_doubt: bool = False) -> None:
        self._packs.abandoned(in_doubt=in_doubt)
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _done(self, error: BaseException | None) -> None:
        self.is_open = False
        if error is not None:
            self._fail(error)
            return
        try:
            COMMIT_SECONDS.observe(self._clock.monotonic() - self._started)
            for future, result in self._group:
                if future.done():
                    continue  # its session is gone; the work stands
                if isinstance(result, _Failure):
                    future.set_exception(result.error)
                else:
                    future.set_result(result)
        finally:
            # Behind the sessions that were just answered: an OK comes before the news of it.
            asyncio.get_running_loop().call_soon(self._afterwards)

    def _afterwards(self) -> None:
        _call(self._checkpoints.look)
        for call in self._following:
            _call(call)
        _call(partial(self._tell, self._topics))
        self._following.clear()  # messages are in there, and the next group may be long in coming
        self._next()

    def _fail(self, error: BaseException) -> None:
        for future, result in self._group:
            if not future.done():
                refused = isinstance(result, _Failure)
                future.set_exception(result.error if refused else self._ballast.as_unavailable(error))
        waiters = len(self._group)
        self._next()
        log.error("store.commit_failed", error=repr(error), waiters=waiters)

    def _next(self) -> None:
        self._group = []
        if self._pending:
            # Let sessions that were just answered add to the next group first.
            asyncio.get_running_loop().call_soon(self._begin)
        else:
            self._busy = False
            self._idle.set()


def _call(what: Callable[[], None]) -> None:
    """Do what belongs behind a commit: that stands, and others want theirs, whatever goes wrong here."""
    try:
        what()
    except Exception:
        log.exception("store.failed_behind_commit")


class _Failure:
    """What one piece of work raised."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        # A future cannot carry StopIteration: it would look like the end of the coroutine that waits.
        self.error = RuntimeError(repr(error)) if isinstance(error, StopIteration) else error
