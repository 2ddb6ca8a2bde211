"""One worker: every service built once, every listener, started and stopped in order.

This is the only place that knows all the concrete parts. It runs as a process
of its own under the supervisor (`worker_process`) or, in tests, beside others
in one event loop (`postroad.testing`).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from postroad.config.settings import Listener, Settings
from postroad.delivery.accept import Acceptance
from postroad.delivery.forwarding import Forwarding
from postroad.delivery.inbound import Inbound
from postroad.delivery.outside import Outside
from postroad.delivery.release import Releases
from postroad.delivery.sealing import Sealer
from postroad.delivery.sender_auth.reporting import Reporting
from postroad.delivery.sender_auth.service import SenderJudge
from postroad.delivery.sending import Sending
from postroad.delivery.signing import Signer
from postroad.delivery.submit import Submission
from postroad.directory.credentials import FULL_COST, Cost
from postroad.directory.directory import Directory
from postroad.directory.dkim_rounds import mind_keys
from postroad.directory.domain_policy import policies
from postroad.directory.seal import Seal
from postroad.housekeeping import keep_house
from postroad.imap.session import ImapSession
from postroad.model.clock import Clock
from postroad.model.networks import Networks
from postroad.model.resolver import Resolver
from postroad.net.balance import Balance, Way
from postroad.net.connection import Connection
from postroad.net.listener import Front, Service
from postroad.net.tls import ServerTls
from postroad.obs.log import log
from postroad.obs.metrics import settle
from postroad.obs.stall import watch_stalls
from postroad.policy.gate import Gate
from postroad.policy.known_sender import KnownSenders
from postroad.policy.reception import Reception
from postroad.policy.shared_counts import SharedCounts
from postroad.policy.space import Space
from postroad.policy.turned_away import TurnedAway
from postroad.pop3 import session as pop3
from postroad.prepare_start import COUNTS, LOCKS
from postroad.queue.runner import QueueRunner
from postroad.smtp.server.services import Acceptor, Role
from postroad.smtp.server.session import SmtpSession
from postroad.store.store import Store

if TYPE_CHECKING:
    from postroad.directory.tokens import Tokens

GRACE_SECONDS: Final = 7.5
"""From SIGTERM until sessions that are still in the middle of something are cut off."""

Session: TypeAlias = Callable[[Connection], Awaitable[None]]


class Worker:
    """Everything of one worker, over a prepared data directory."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        tls: ServerTls,
        resolver: Resolver,
        index: int = 0,
        hash_cost: Cost = FULL_COST,
        outside: Outside | None = None,
        handed: Sequence[Way] = (),
    ) -> None:
        """Must be called in the running loop. `index` tells this worker from the others.

        `handed` are the ways by which each of them is handed connections.
        """
        self._settings = settings
        self._clock = clock
        self._tls = tls
        self._resolver = resolver
        self._index = index
        limits, data, name = settings.limits, settings.data, f"w{index}"
        anyone = settings.imap.share_with_anyone
        self.store = Store(data, clock, name=name, limits=limits, retention=settings.retention, anyone=anyone)
        self.directory = Directory(
            self.store.database,
            clock,
            data,
            hostname=settings.hostname,
            limits=limits,
            auth=settings.auth,
            tokens=tokens_of(settings, clock),
            hash_cost=hash_cost,
        )
        self._counts = SharedCounts(data / COUNTS, index, limits, clock)
        self._gate: Gate[Connection] = Gate(
            self._counts, limits, lambda connection: self._front.drop(connection)
        )
        self._turned_away = TurnedAway(self.store.database, clock)
        balance = None
        if len(handed) > 1:
            others = {number: way for number, (_, way) in enumerate(handed) if number != index}
            balance = Balance(handed[index][0], others, self._counts.open_by_worker, index)
        self._front = Front(self._gate, tls, name=name, on_refused=self._turned_away.note, balance=balance)
        self._known_senders = KnownSenders(resolver)
        self._seal = Seal.of(data)
        self._signer = Signer(self.store.database, self._seal, clock)
        self._reporting = Reporting(
            self.store.database,
            resolver,
            self._signer,
            clock,
            settings.hostname,
            wanted=lambda: self._settings.sender_auth.enabled and self._settings.sender_auth.reports,
        )
        self._resolver = resolver
        self._reception = self._make_reception()
        self._sending = Sending(
            self.store,
            resolver,
            clock,
            settings.queue,
            settings.hostname,
            data,
            outside or Outside(),
            self._signer,
        )
        self.queue = QueueRunner(
            store=self.store,
            clock=clock,
            settings=settings.queue,
            hostname=settings.hostname,
            worker=name,
            delivery=Releases(self._sending.delivery, self.store, self.directory, lambda: self._acceptance),
            sign=self._signer.signed,
        )
        self._acceptors = self._make_acceptors()
        self._sessions: dict[Listener, Session] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, sockets: Sequence[tuple[Listener, socket.socket]]) -> None:
        """Accept connections on bound sockets and begin to work the queue."""
        await self.directory.save()
        await self.directory.forget_unwanted_keys()
        for listener, sock in sockets:
            self._sessions[listener] = self._session(listener)
            await self._front.listen(sock, self._service(listener))
        self._front.hear_others()
        await self.queue.start()
        self.store.watch.subscribe("directory", self._end_sessions)
        self.store.watch.subscribe("directory", lambda: self._reception.refresh())
        self._tasks.append(asyncio.create_task(watch_stalls()))
        self._tasks.append(asyncio.create_task(self._turned_away.mind()))
        if self._index == 0:
            self._tasks.append(asyncio.create_task(keep_house(self.store, self._settings.data, self._clock)))
            self._tasks.append(asyncio.create_task(self._mind_keys()))
        self._tasks.append(asyncio.create_task(self._sending.mind(alone=self._index == 0)))
        self._tasks.append(asyncio.create_task(self._reporting.mind(alone=self._index == 0)))

    def reload(self, fresh: Settings | None) -> None:
        """Read the certificate again; take limits, queue, retention, dkim and sender_auth from `fresh`.

        New connections get them, those that are open keep theirs. Listeners,
        data directory, user and workers need a restart.
        """
        if fresh is not None:
            self._settings = msgspec.structs.replace(
                self._settings,
                limits=fresh.limits,
                queue=fresh.queue,
                retention=fresh.retention,
                dkim=fresh.dkim,
                sender_auth=fresh.sender_auth,
                receiving=fresh.receiving,
            )
            self.store.use(fresh.limits, fresh.retention)
            self._counts.use(fresh.limits)
            self.directory.use(fresh.limits)
            self.queue.use(fresh.queue)
            self._reception = self._make_reception()
            self._acceptors = self._make_acceptors()
        try:
            self._tls.reload()
        except OSError as error:
            log.error("tls.not_reloaded", error=str(error))
        for listener in self._sessions:
            self._sessions[listener] = self._session(listener)
        log.info("worker.reloaded", worker=self._index)

    async def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Finish what is under way within `grace` seconds, then leave."""
        self._counts.leave()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self._front.drain(grace), self.queue.stop(grace))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._turned_away.write()
        await self._sending.close()
        await self._reporting.close()
        await self.directory.close()
        await self.store.close()
        self._counts.close()
        settle()

    async def _mind_keys(self) -> None:
        await mind_keys(
            self.store.database,
            self._resolver,
            self._seal,
            self._settings.data,
            self._clock,
            rotate=lambda: self._settings.dkim.rotate,
        )

    def _make_reception(self) -> Reception:
        settings, database = self._settings, self.store.database
        return Reception(
            settings.receiving, settings.hostname, self._resolver, self._clock, database, self._counts
        )

    def _make_acceptors(self) -> dict[Role, Acceptor]:
        settings = self._settings
        limits, clock = settings.limits, self._clock
        sender_auth = settings.sender_auth
        forwarding = None
        if sender_auth.enabled and sender_auth.rewrite_forwarded:
            forwarding = Forwarding(self.store.database, self._seal, clock)
        sealer = Sealer(self._signer, clock)
        acceptance = Acceptance(
            *(self.store, clock, settings.hostname, self._signer, forwarding, sealer, self.queue.claims)
        )
        self._acceptance = acceptance
        space = Space(settings.data, limits, clock)
        shared = (acceptance, self.directory, self.store, space, limits)
        judge = None
        if sender_auth.enabled:
            results = self._reporting.results if sender_auth.reports else None
            judge = SenderJudge(
                sender_auth, self._resolver, clock, settings.hostname, results, self._dmarc_wish
            )
        return {
            Role.EXCHANGE: Inbound(*shared, self._counts, self._known_senders, judge, forwarding),
            # What comes by LMTP has passed a server of ours, and its address says nothing of the sender.
            Role.DELIVERY: Inbound(*shared, None, self._known_senders, None, forwarding),
            Role.SUBMISSION: Submission(*shared, clock, settings.hostname),
        }

    def _dmarc_wish(self, domain: str) -> str | None:
        """What a domain wants done about DMARC; asked only of mail that somebody does not want delivered."""
        own = self.store.database.read(policies).get(domain)
        return own.dmarc if own is not None else None

    def _end_sessions(self) -> None:
        """Show those the door whose account was suspended or removed while they were in."""
        for connection, account_id in self._front.logged_in():
            account = self.directory.account(account_id)
            if account is None or account.suspended:
                log.info("net.ended", conn=connection.id, account=account_id)
                connection.drain()

    def _service(self, listener: Listener) -> Service:
        def session(connection: Connection) -> Awaitable[None]:
            # Looked up for each connection, so that a reload holds for the next one.
            return self._sessions[listener](connection)

        return Service(
            listener.role,
            session,
            _FAREWELLS[listener.role],
            listener.tls == "implicit",
            Networks(listener.proxy_from),
            listener.crowd,
        )

    def _session(self, listener: Listener) -> Session:
        context = None if listener.tls == "none" else self._tls.context_for(listener.role)
        match listener.role:
            case "smtp" | "submission" | "lmtp":
                role = Role(listener.role)
                return SmtpSession(
                    acceptor=self._acceptors[role],
                    directory=self.directory,
                    store=self.store,
                    clock=self._clock,
                    limits=self._settings.limits,
                    role=role,
                    hostname=self._settings.hostname,
                    tls_context=context,
                    mechanisms=listener.mechanisms,
                    listener=f"{listener.role} {listener.address}",
                    on_trusted=self._gate.authenticated,
                    reception=self._reception if role is Role.EXCHANGE else None,
                    xclient_from=Networks(listener.xclient_from),
                    holds=self._settings.queue.remote,
                    priorities=self._settings.queue.priorities if self._settings.queue.remote else "off",
                    greeting_delay=listener.seconds_of_silence,
                    on_turned_away=self._turned_away.note,
                    on_readdressed=partial(self._gate.readdress, crowd=listener.crowd),
                ).run
            case "imap":
                return ImapSession(
                    store=self.store,
                    directory=self.directory,
                    clock=self._clock,
                    limits=self._settings.limits,
                    hostname=self._settings.hostname,
                    tls_context=context,
                    passwords_in_clear=listener.passwords_in_clear,
                    mechanisms=listener.mechanisms,
                    counts=self._counts,
                    administrators=self._settings.imap.administrator_keys,
                    about_server=self._settings.imap.entries,
                    on_login=self._gate.authenticated,
                    on_logout=self._gate.logged_out,
                ).run
            case "pop3":
                return self._pop3(listener)

    def _pop3(self, listener: Listener) -> Session:
        services = pop3.Services(
            store=self.store,
            directory=self.directory,
            limits=self._settings.limits,
            locks=self._settings.data / LOCKS,
            tls=None if listener.tls == "none" else lambda: self._tls.context_for(listener.role),
            passwords_in_clear=listener.passwords_in_clear,
            mechanisms=listener.mechanisms,
        )
        return lambda connection: pop3.serve(connection, services)


def tokens_of(settings: Settings, clock: Clock) -> "Tokens | None":
    """Who judges bearer tokens; None without an OpenID provider."""
    if not settings.openid.configured:
        return None
    # Not at the top: joserfc and httpx2 are a tenth of a start, and most servers have no use for them.
    from postroad.directory.tokens import Tokens

    return Tokens(settings.openid, clock)


def _smtp_farewell(reason: str) -> bytes:
    return f"421 4.7.0 {reason}\r\n".encode()


def _imap_farewell(reason: str) -> bytes:
    return f"* BYE [UNAVAILABLE] {reason}\r\n".encode()


def _pop3_farewell(reason: str) -> bytes:
    return f"-ERR [SYS/TEMP] {reason}\r\n".encode()


_FAREWELLS: Final[dict[str, Callable[[str], bytes]]] = {
    "smtp": _smtp_farewell,
    "submission": _smtp_farewell,
    "lmtp": _smtp_farewell,
    "imap": _imap_farewell,
    "pop3": _pop3_farewell,
}
