"""One message to one destination: its hosts in order, their addresses, an outcome for each recipient."""

import random
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from postroad.config.settings import Queue
from postroad.config.values import about_duration
from postroad.dns.route import Host, NoRoute, Route, find_route
from postroad.model.clock import Clock
from postroad.model.envelope import Recipient
from postroad.model.resolver import Resolver
from postroad.queue.item import Work
from postroad.smtp.client import SmtpClient, Timeouts, Unusable, client_context
from postroad.smtp.exchange import Outgoing, Source
from postroad.smtp.idle import IdleClients
from postroad.smtp.outcome import Outcome, Verdict

SMTP_PORT: Final = 25
BACK_OFF_FIRST: Final = 120.0
"""How long an address that did not answer is left alone; doubles each time, up to the longest."""
BACK_OFF_MAX: Final = 1800.0
_KNOWN: Final = 10_000  # addresses whose silence is remembered
_HEADER: Final = 256 * 1024


class RemoteDelivery:
    """Delivers to other servers, for one worker: idle connections and silent addresses are remembered."""

    def __init__(
        self,
        *,
        resolver: Resolver,
        clock: Clock,
        settings: Queue,
        hostname: str,
        port: Callable[[str], int] = lambda _: SMTP_PORT,
        timeouts: Timeouts | None = None,
    ) -> None:
        """`port` gives the port of an address, for servers that are not at 25 (tests)."""
        self._resolver = resolver
        self._settings = settings
        self._hostname = hostname
        self._port = port
        self._timeouts = timeouts or Timeouts()
        self._tls = client_context()
        self._idle = IdleClients()
        self._silent = _Silent(clock)
        self._chance = random.Random()  # noqa: S311 - spreads load, keeps no secret

    async def deliver(self, work: Work, source: Source, still_ours: Callable[[], bool]) -> list[Outcome]:
        """Give an outcome for each recipient, in their order.

        Raises:
            Lapsed: `still_ours` said no before the final dot.
        """
        began = time.monotonic()
        way = await find_route(
            self._resolver,
            work.destination,
            own_names={self._hostname},
            chance=self._chance,
            allow_private=self._settings.allow_private_addresses,
        )
        if isinstance(way, NoRoute):
            outcomes = [_no_route(way)] * len(work.recipients)
        else:
            outcomes = await self._along(way, work, _outgoing(work, source, still_ours))
        seconds = time.monotonic() - began
        return [replace(outcome, seconds=seconds) for outcome in outcomes]

    async def close(self) -> None:
        """Close what is idle."""
        await self._idle.close()

    async def _along(self, route: Route, work: Work, message: Outgoing) -> list[Outcome]:
        """Try host after host until one of them has answered for the message."""
        worst: Outcome | None = None
        for host in route.hosts:
            for address in host.addresses:
                try:
                    outcomes = await self._at(host, address, message, work)
                except Unusable as error:
                    if error.ourselves:
                        # RFC 5321 §5.1: we are an MX of it, so this host and those behind it are no use.
                        return [worst or error.outcome] * len(work.recipients)
                    worst = _better_known(worst, error.outcome)
                    continue
                return outcomes
        assert worst is not None
        return [worst] * len(work.recipients)

    async def _at(self, host: Host, address: str, message: Outgoing, work: Work) -> list[Outcome]:
        """Hand the message to one server.

        Raises:
            Unusable: it cannot be talked to, or fell silent before it could have taken the message.
        """
        # Who asks for an attempt has perhaps had something changed there: a new connection will see it.
        idle = None if work.urgent else self._idle.take(host.name, address)
        if idle is not None:
            try:
                return await self._with(idle, message)
            except Unusable:
                pass  # an old connection has died, which says nothing about a new one
        if not work.urgent and (left := self._silent.left(address)):
            text = f"did not answer a moment ago; left alone for {about_duration(left)}"
            raise Unusable(Outcome(Verdict.DEFERRED, 0, "4.4.1", text, host.name, address, spoken=False))
        try:
            client = await self._open(host, address)
            outcomes = await self._with(client, message)
        except Unusable as error:
            if not error.outcome.spoken:
                self._silent.note(address)
            raise
        self._silent.forget(address)
        return outcomes

    async def _open(self, host: Host, address: str) -> SmtpClient:
        async def connect(*, secure: bool) -> SmtpClient:
            return await SmtpClient.open(
                host.name,
                address,
                self._port(address),
                hostname=self._hostname,
                tls=self._tls if secure else None,
                timeouts=self._timeouts,
            )

        try:
            return await connect(secure=True)
        except Unusable as error:
            if not error.tls_failed:
                raise
            # Opportunistic (RFC 7435): without encryption is better than not at all.
            return await connect(secure=False)

    async def _with(self, client: SmtpClient, message: Outgoing) -> list[Outcome]:
        try:
            outcomes = await client.send(message)
        except BaseException:
            client.abort()
            raise
        self._idle.keep(client)
        return outcomes


class _Silent:
    """Addresses that did not answer, and until when they are left alone."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def left(self, address: str) -> float:
        """Seconds for which an address is still left alone."""
        until, _ = self._until.get(address, (0.0, 0))
        return max(0.0, until - self._clock.monotonic())

    def note(self, address: str) -> None:
        """It did not answer (again)."""
        _, failures = self._until.pop(address, (0.0, 0))
        wait = min(BACK_OFF_FIRST * 2.0 ** min(failures, 30), BACK_OFF_MAX)
        self._until[address] = self._clock.monotonic() + wait, failures + 1
        if len(self._until) > _KNOWN:
            self._until.popitem(last=False)

    def forget(self, address: str) -> None:
        """It answers."""
        self._until.pop(address, None)


def _outgoing(work: Work, source: Source, still_ours: Callable[[], bool]) -> Outgoing:
    item = work.item
    return Outgoing(
        sender=item.sender,
        recipients=[Recipient(r.address, r.notify, r.original) for r in work.recipients],
        source=source,
        ret=item.ret,
        envid=item.envid,
        body=item.body,
        # What was declared as internationalized and is not goes to every server (RFC 6531 §3.2).
        smtputf8=item.smtputf8 and _has_utf8_header(source),
        still_ours=still_ours,
    )


def _has_utf8_header(source: Source) -> bool:
    head = source.read(0, min(source.size, _HEADER))
    end = head.find(b"\r\n\r\n")
    return not (head if end < 0 else head[:end]).isascii()


def _no_route(way: NoRoute) -> Outcome:
    verdict = Verdict.FAILED if way.permanent else Verdict.DEFERRED
    return Outcome(verdict, way.code, way.enhanced, way.text, spoken=False)


def _better_known(first: Outcome | None, second: Outcome) -> Outcome:
    """Of two servers that could not be used, the one to speak of.

    A "not now" of any of them leaves hope; words say more than silence; the
    better host is named first, and of its addresses the last, because the
    first are IPv6, which cannot be reached from everywhere.
    """
    if first is None:
        return second
    first_rank, second_rank = _rank(first), _rank(second)
    if first_rank == second_rank and first.host == second.host:
        return second
    return first if first_rank <= second_rank else second


def _rank(outcome: Outcome) -> tuple[bool, bool]:
    return outcome.verdict is Verdict.FAILED, not outcome.spoken
