"""Writing down what came of pieces of work, and taking the next ones: at once for all that end together.

What holds for a destination (its pace, its limits, when there is more to do)
is looked up and written once for all of its work in a group, not for each piece.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from postroad.config.settings import Queue
from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.delivery.bounce import Notice
from postroad.model.refusal import Unavailable
from postroad.queue import leases, pace, suppression
from postroad.queue import outcome as outcomes
from postroad.queue.item import Work
from postroad.queue.outcome import Judged
from postroad.trail.note import Note


class Ended(NamedTuple):
    """A piece of work and what came of it."""

    work: Work
    judged: Sequence[Judged]
    notices: Sequence[Notice] = ()
    remarks: Sequence[Note] = ()
    doubtful: bool = False
    """This has been tried before: what its lease holds by now is not known."""


class Settled(NamedTuple):
    """What was written of a piece of work, and the next one for the same destination, if there is one."""

    done: list[Judged]
    following: Work | None


class Settler:
    """Writes for one worker."""

    def __init__(
        self,
        database: Database,
        worker: str,
        settings: Callable[[], Queue],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` is called within each transaction that makes or ends leases."""
        self._database = database
        self._worker = worker
        self._settings = settings
        self._changed = changed
        self._open: list[tuple[Ended, asyncio.Future[Settled | None]]] | None = None
        self.stopping = False
        """Nothing more is begun."""

    async def settle(self, ended: Ended) -> Settled:
        """Write down what came of a piece of work; durable when this returns.

        Raises:
            StoreError: a notice cannot be filed; nothing was written.
            Unavailable: as for `Database.write`.
        """
        if ended.notices or ended.doubtful:
            return await self._alone(ended)
        told: asyncio.Future[Settled | None] = asyncio.get_running_loop().create_future()
        if self._open is not None:
            self._open.append((ended, told))
        else:
            await self._together(ended, told)
        # None: somebody's work in the group has a bug, for which nobody else is to suffer.
        return await told or await self._alone(ended)

    async def _alone(self, ended: Ended) -> Settled:
        return (await self._database.write(partial(self._write, [ended])))[0]

    async def _together(self, first: Ended, told: "asyncio.Future[Settled | None]") -> None:
        """Write for everybody who comes until the group of commits is closed."""
        batch = self._open = [(first, told)]

        def write(tx: Transaction) -> list[Settled]:
            self._open = None
            return self._write([ended for ended, _ in batch], tx)

        try:
            results: Sequence[Settled | None] = await self._database.write(write)
        except Unavailable as error:
            for _, waiter in batch:
                if not waiter.done():
                    waiter.set_exception(Unavailable(str(error)))
            return
        except Exception:
            results = [None] * len(batch)
        except BaseException:
            for _, waiter in batch:
                waiter.cancel()
            raise
        finally:
            if self._open is batch:
                self._open = None
        for (_, waiter), result in zip(batch, results, strict=True):
            if not waiter.done():
                waiter.set_result(result)

    def _write(self, batch: Sequence[Ended], tx: Transaction) -> list[Settled]:
        settings = self._settings()
        self._changed()
        done = []
        by_destination: dict[str, list[Ended]] = {}
        for ended in batch:
            written = outcomes.apply(tx, ended.work, ended.judged, ended.notices, ended.remarks)
            suppression.learn(tx, ((j.recipient.address, j.outcome) for j in written), settings)
            done.append(written)
            by_destination.setdefault(ended.work.destination, []).append(ended)
        following: dict[int, Work] = {}
        for destination, group in by_destination.items():
            following |= self._go_on(tx, destination, group, settings)
        return [
            Settled(written, following.get(ended.work.lease_id))
            for ended, written in zip(batch, done, strict=True)
        ]

    def _go_on(
        self, tx: Transaction, destination: str, group: Sequence[Ended], settings: Queue
    ) -> dict[int, Work]:
        """Learn from what was heard of a destination, and take the next work for it.

        Gives it by the lease that it follows: that goes on with it, unless it was lost.
        """
        signals = [pace.heard(j.outcome for j in ended.judged) for ended in group]
        learned = pace.learn(tx, destination, signals, settings)
        ailing = outcomes.ailing(group[-1].judged)
        for ended in group:
            if ended.doubtful:
                leases.end_lease(tx, ended.work.lease_id)
        ended_leases = [ended.work.lease_id for ended in group]
        if self.stopping:
            leases.drop_leases(tx, ended_leases)
            leases.touch(tx, destination, settings, ailing=ailing)
            return {}
        taken = leases.next_for(
            *(tx, self._worker, destination, ended_leases, settings), ailing=ailing, pace=learned
        )
        going_on = {work.lease_id: work for work in taken if work.lease_id in ended_leases}
        begun = [work for work in taken if work.lease_id not in ended_leases]
        lost = [lease_id for lease_id in ended_leases if lease_id not in going_on]
        return going_on | dict(zip(lost, begun, strict=False))
