"""Working the queue: every worker leases what is due, delivers it, writes down what came of it."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from msgspec.structs import replace

from postroad.config.settings import Queue
from postroad.db.transaction import Transaction
from postroad.delivery import bounce
from postroad.delivery.bounce import Notice
from postroad.delivery.own_mail import Sign, unsigned
from postroad.model.clock import Clock
from postroad.model.refusal import Unavailable
from postroad.obs.log import log
from postroad.obs.metrics import ATTEMPTS, DELIVERED, DELIVERED_WITHIN, MESSAGES, QUEUE_DEPTH
from postroad.queue import leases, spool, suppression
from postroad.queue import outcome as outcomes
from postroad.queue.claims import Claims
from postroad.queue.item import QueuedRecipient, Work
from postroad.queue.outcome import CANCELLED, End, Judged
from postroad.queue.settle import Ended, Settler
from postroad.smtp.exchange import Lapsed, Source
from postroad.smtp.outcome import Outcome, Verdict
from postroad.store.errors import NoSuchMessage, StoreError
from postroad.store.messages import open_shared
from postroad.store.store import Store
from postroad.trail.note import Note

AT_ONCE: Final = 500
"""Deliveries of one worker at a time; most of them wait for other people's servers."""
RENEW_SECONDS: Final = spool.LEASE_SECONDS / 4
SURE_SECONDS: Final = spool.LEASE_SECONDS * leases.RENEWED_BELOW
"""How long a lease holds in any case, whether its renewal was needed or not."""
LONGEST_SLEEP: Final = 300.0
"""A look at the queue for no reason, in case that a hint was lost."""
COUNT_SECONDS: Final = 15.0
"""Between two counts of all that waits, which takes the longer the more it is."""
RETRY_SECONDS: Final = 5.0
"""Until the next look when the database refused."""
VAIN_SECONDS: Final = 1.0
"""Until the next look, unless there is a hint, when something was due and nothing could be taken."""


class Delivery(Protocol):
    """What hands one message to one destination (`delivery.remote`)."""

    async def deliver(self, work: Work, source: Source, still_ours: Callable[[], bool]) -> list[Outcome]:
        """Give an outcome for each recipient, in their order; never raises for what others do.

        `still_ours` is asked at the last moment: a worker that was stopped
        for minutes may find that another one has taken over.
        """
        ...

    async def close(self) -> None:
        """Say goodbye to servers that connections are kept to."""
        ...


class QueueRunner:
    """The part of one worker in the queue."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        settings: Queue,
        hostname: str,
        worker: str,
        delivery: Delivery,
        sign: Sign = unsigned,
    ) -> None:
        """`worker` is a name that no other process has at the same time; `sign` is for notices."""
        self._store = store
        self._database = store.database
        self._clock = clock
        self._settings = settings
        self._hostname = hostname
        # Not the name alone: a worker that was killed and started again is another one.
        self._name = worker
        self._worker = f"{worker}-{random.SystemRandom().getrandbits(48):012x}"
        self._delivery = delivery
        self._sign = sign
        self._chance = random.Random()  # noqa: S311 - spreads load, keeps no secret
        self._work: dict[int, asyncio.Task[None]] = {}
        self._until: dict[int, float] = {}
        """Until when each lease is ours for certain."""
        self._settling: set[int] = set()
        """Leases whose outcome is being written: they may have ended before we hear that they have."""
        self._tasks: list[asyncio.Task[None]] = []
        self._look = asyncio.Event()
        self._busy = asyncio.Event()
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at: float | None = None
        """For when the alarm is set; it is left alone while that stays so."""
        self._count_at = 0.0
        self._vain_until = 0.0
        """As many recipients as may be are worked on, by others too, of whose end no hint comes."""
        self.claims = Claims(self._worker, lambda: self._settings, self._hands, self._begin)
        """For those who queue messages in this process."""
        self._settler = Settler(self._database, self._worker, lambda: self._settings, self.claims.forget)
        self._unsubscribe: Callable[[], None] = lambda: None

    def use(self, settings: Queue) -> None:
        """Go by these settings from now on; `remote` alone needs a restart."""
        self._settings = settings
        self._look.set()

    async def start(self) -> None:
        """Begin to look for work, first of all that of one that was killed in our place."""
        with contextlib.suppress(Unavailable):  # it comes back by itself, later
            await self._database.write(lambda tx: leases.release_predecessors(tx, self._name, self._worker))
        self._unsubscribe = self._store.watch.subscribe(spool.TOPIC, self._look.set)
        self._look.set()
        if self._settings.remote:
            self.claims.open = True
            self._tasks = [asyncio.create_task(self._dispatch()), asyncio.create_task(self._keep_leases())]

    async def stop(self, grace: float) -> None:
        """Let deliveries that are under way come to their end within `grace` seconds, give back the rest."""
        self._settler.stopping = True
        self.claims.open = False
        self._unsubscribe()
        for task in self._tasks[:1]:
            task.cancel()
        if self._alarm is not None:
            self._alarm.cancel()
        if self._work:
            await asyncio.wait(self._work.values(), timeout=grace)
        for task in [*self._tasks, *self._work.values()]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._work.values(), return_exceptions=True)
        await self._delivery.close()
        with contextlib.suppress(Unavailable):
            await self._database.write(lambda tx: leases.release_worker(tx, self._worker))

    # -- finding work -----------------------------------------------------

    async def _dispatch(self) -> None:
        while True:
            if not await self._turn("queue.cannot_look", self._look_around):
                await self._clock.sleep(RETRY_SECONDS)

    async def _turn(self, trouble: str, turn: Callable[[], Awaitable[None]]) -> bool:
        """Do a part of what goes on for as long as the worker; False: it has to be tried again soon."""
        try:
            await turn()
        except Unavailable as error:
            log.warning(trouble, error=str(error))
        except Exception:
            log.exception(trouble)
        else:
            return True
        return False

    async def _look_around(self) -> None:
        """Begin what there is to do, and wait until there may be more."""
        self._look.clear()
        for work in await self._lease():
            self._begin(work)
        await self._wait()

    async def _lease(self) -> list[Work]:
        room = AT_ONCE - len(self._work)
        if self._clock.monotonic() >= self._count_at:
            self._count_at = self._clock.monotonic() + COUNT_SECONDS
            QUEUE_DEPTH.set(self._database.read(spool.depth))
            await self._mind_the_clock()
        due = self._next_due()
        if room <= 0 or due is None or due > self._clock.now():
            return []

        def lease(tx: Transaction) -> list[Work]:
            self.claims.forget()
            return leases.lease(
                tx, self._worker, settings=self._settings, room=room, working=tuple(self._work)
            )

        taken = await self._database.write(lease)
        if not taken:
            self._vain_until = self._clock.now() + VAIN_SECONDS
        return taken

    async def _mind_the_clock(self) -> None:
        """What was put off while the clock ran years ahead must not wait for years."""
        now = self._clock.now()
        latest = spool.latest_due(now, self._settings)
        if self._database.read(lambda reader: spool.is_from_another_time(reader, now, latest)):
            count = await self._database.write(lambda tx: spool.come_back_to_now(tx, latest))
            log.warning("queue.clock_was_ahead", recipients=count)

    async def _wait(self) -> None:
        """Sleep until there is a reason to look again: a hint, or the next due time."""
        # With all hands full the end of a delivery is what wakes us.
        due = None if len(self._work) >= AT_ONCE else self._next_due()
        if due is not None:
            due = max(due, self._vain_until)
        if due != self._alarm_at or self._alarm is None or self._alarm.done():
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm, self._alarm_at = asyncio.create_task(self._ring(due)), due
        await self._look.wait()

    async def _ring(self, due: float | None) -> None:
        # The wait is worked out where it begins: the clock may have been put forward since the look.
        seconds = LONGEST_SLEEP if due is None else due - self._clock.now()
        await self._clock.sleep(max(0.0, min(seconds, LONGEST_SLEEP)))
        self._look.set()

    def _next_due(self) -> float | None:
        return spool.next_due(self._database)

    async def _keep_leases(self) -> None:
        """Renew them now and then, and sooner where that could not be done."""
        seconds = RENEW_SECONDS
        while True:
            await self._busy.wait()
            await self._clock.sleep(seconds)
            renewed = await self._turn("queue.cannot_renew", self._renew)
            seconds = RENEW_SECONDS if renewed else RETRY_SECONDS

    async def _renew(self) -> None:
        """Renew what is being worked on; stop work on what another worker has taken over."""
        began = self._clock.now()
        await self._database.write(lambda tx: leases.renew(tx, tuple(self._work)))
        mine = self._database.read(lambda reader: leases.leases_of(reader, self._worker))
        self._until |= dict.fromkeys(self._work.keys() & mine, began + SURE_SECONDS)
        for lease_id in self._work.keys() - mine - self._settling:
            log.warning("queue.lease_lost", lease=lease_id)
            self._work[lease_id].cancel()

    # -- doing it ---------------------------------------------------------

    def _hands(self) -> int:
        """How much more may be begun of what has just come: the other half is for what has been waiting."""
        return AT_ONCE // 2 - len(self._work)

    def _begin(self, work: Work) -> None:
        if self._settler.stopping:
            return  # it is given back with all else that is leased
        self._hold(work, asyncio.create_task(self._run(work), name=f"queue-{work.destination}"))
        self._busy.set()

    async def _run(self, work: Work) -> None:
        """Deliver one piece of work, then go on with the next for the same destination."""
        following: Work | None = work
        try:
            while following is not None:
                work = following
                following = await self._one(work)
                task = self._let_go(work)
                if following is not None and task is not None:
                    self._hold(following, task)
        except Exception:
            # A bug of ours. The lease is no longer renewed, so the work comes back in any case.
            log.exception("queue.failed", queue=work.item.text_id, destination=work.destination)
        finally:
            self._let_go(work)
            if not self._work:
                self._busy.clear()
            self._look.set()

    def _hold(self, work: Work, task: asyncio.Task[None]) -> None:
        self._work[work.lease_id] = task
        self._until[work.lease_id] = work.leased_at + SURE_SECONDS

    def _let_go(self, work: Work) -> asyncio.Task[None] | None:
        self._until.pop(work.lease_id, None)
        self._settling.discard(work.lease_id)
        return self._work.pop(work.lease_id, None)

    async def _one(self, work: Work) -> Work | None:
        source: Source = _NOTHING
        try:
            source = self._source(work)
            results = await self._attempt(work, source)
            judged, notices = self._judge(work, results, source)
        except Exception as error:
            if isinstance(error, Lapsed):
                log.warning("queue.lapsed", queue=work.item.text_id, destination=work.destination)
            else:
                log.exception("queue.failed", queue=work.item.text_id, destination=work.destination)
            judged, notices = self._judge(work, [_OUR_FAULT] * len(work.recipients), _NOTHING)
        self._settling.add(work.lease_id)
        # Who is cancelled in there is leaving; what has gone to the group of commits stands all the same.
        return await self._finish(work, judged, notices)

    def _source(self, work: Work) -> Source:
        if work.held is not None:
            return work.held
        if work.place is None:
            raise NoSuchMessage(f"blob {work.item.blob_id}")
        return open_shared(self._store.packs, work.place, work.item.prefix)

    async def _attempt(self, work: Work, source: Source) -> list[Outcome]:
        if work.cancelled:
            return [CANCELLED] * len(work.recipients)
        by = work.item.deliver_by
        if by is not None and by.returns and by.at <= self._clock.now():
            return [_too_late(work, recipient) for recipient in work.recipients]
        back = self._suppressed(work)
        wanted = tuple(r for r in work.recipients if r.address.key not in back) if back else work.recipients
        if not wanted:
            return [back[r.address.key] for r in work.recipients]
        rest = replace(work, recipients=wanted) if back else work
        results = await self._delivery.deliver(rest, source, lambda: self._is_ours(work.lease_id))
        if not back:
            return results
        found = iter(results)
        return [back[r.address.key] if r.address.key in back else next(found) for r in work.recipients]

    def _suppressed(self, work: Work) -> dict[str, Outcome]:
        if not suppression.anybody(self._database):
            return {}
        return self._database.ask(
            lambda reader: suppression.outcomes_for(reader, (r.address for r in work.recipients))
        )

    def _is_ours(self, lease_id: int) -> bool:
        return self._clock.now() < self._until.get(lease_id, 0.0)

    def _judge(self, work: Work, results: list[Outcome], source: Source) -> tuple[list[Judged], list[Notice]]:
        now, settings = self._clock.now(), self._settings
        judged = outcomes.judge(work, results, now=now, settings=settings, chance=self._chance.random())
        notices = outcomes.notices(
            work, judged, source, hostname=self._hostname, now=now, settings=settings, sign=self._sign
        )
        return judged, notices

    async def _finish(self, work: Work, judged: list[Judged], notices: list[Notice]) -> Work | None:
        remarks: list[Note] = []
        doubtful = False
        while True:
            try:
                done, following = await self._settler.settle(Ended(work, judged, notices, remarks, doubtful))
            except StoreError as error:
                # A notice cannot be filed, because the sender's mailbox is full: the rest stands without it.
                problem = f"{type(error).__name__}: {error}"
                remarks, notices = [bounce.unposted(notice, problem) for notice in notices], []
            except Unavailable as error:
                # What was delivered is known only here: it would be delivered again if this were dropped.
                log.error("queue.cannot_write", queue=work.item.text_id, error=str(error))
                doubtful = True
                await self._clock.sleep(RETRY_SECONDS)
            else:
                self._count(work, done)
                return following

    def _count(self, work: Work, done: list[Judged]) -> None:
        named = work.item.text_id
        for j in done:
            result = j.outcome.verdict.value
            ATTEMPTS[result].count += 1
            if j.end is End.DELIVERED:
                DELIVERED_WITHIN.observe(max(0.0, self._clock.now() - work.item.begins))
                DELIVERED.count += 1
            elif j.end is not End.WAITS and j.end is not End.WAITS_AND_TELL:
                MESSAGES.labels("out", "failed").inc()
            log.info(
                "queue.attempt",
                queue=named,
                recipient=str(j.recipient.address),
                result=result,
                host=j.outcome.host,
                address=j.outcome.address,
                reply=j.outcome.words[:200],
            )


def _too_late(work: Work, recipient: QueuedRecipient) -> Outcome:
    """It comes back without another attempt (RFC 2852 §4.1)."""
    last = f" At last it was: {recipient.last_words}" if recipient.last_words else ""
    text = f"{outcomes.too_late(work.item)}{last}"
    return Outcome(Verdict.FAILED, 0, outcomes.NOT_IN_TIME, text, spoken=False)


class _Nothing:
    """Stands for a message whose octets cannot be read."""

    size = 0

    def read(self, start: int, end: int) -> bytes:
        return b""


_NOTHING: Final = _Nothing()
_OUR_FAULT: Final = Outcome(Verdict.DEFERRED, 451, "4.3.0", "an internal error of this server", spoken=False)
