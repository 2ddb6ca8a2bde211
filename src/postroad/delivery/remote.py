"""One message to one destination: its hosts in order, their addresses, an outcome for each recipient."""

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from msgspec.structs import replace

from postroad.config.settings import Queue
from postroad.config.values import about_duration
from postroad.delivery.chunking import BadAtChunks
from postroad.delivery.contact import Contact, Found
from postroad.delivery.demands import Demands, DomainDemands, Forbidden
from postroad.delivery.downgrade import Conversions, Downgrade
from postroad.delivery.lately import Asked, Lately
from postroad.delivery.mtasts import NOTHING, StsPolicies
from postroad.delivery.outgoing import outgoing
from postroad.delivery.outside import Outside
from postroad.delivery.relay import BY_MX, Relays, Way
from postroad.delivery.silence import Silence
from postroad.delivery.tls_results import Failure, TlsResults
from postroad.dns.route import Host, NoRoute, Route, find_route
from postroad.model.clock import Clock
from postroad.model.envelope import Wish
from postroad.model.refusal import Unavailable
from postroad.model.resolver import Resolver
from postroad.queue.item import Work
from postroad.smtp.client import SmtpClient
from postroad.smtp.exchange import Outgoing, Source
from postroad.smtp.handover import ChunksRefused
from postroad.smtp.idle import IdleClients
from postroad.smtp.outcome import Outcome, Unusable, Verdict
from postroad.smtp.security import Security


class RemoteDelivery:
    """Delivers to other servers, for one worker: idle connections and silent addresses are remembered."""

    def __init__(
        self,
        *,
        resolver: Resolver,
        clock: Clock,
        settings: Queue,
        hostname: str,
        policies: StsPolicies | None = None,
        results: TlsResults | None = None,
        relays: Relays | None = None,
        conversions: Conversions | None = None,
        outside: Outside | None = None,
    ) -> None:
        """`policies` None leaves MTA-STS out, `relays` None the routes of the directory, `conversions` None
        has what a server cannot take as it is fail.
        """
        outside = outside or Outside()
        self._resolver = resolver
        self._clock = clock
        self._settings = settings
        self._hostname = hostname
        self._port = outside.port
        self._timeouts = outside.timeouts
        self._demands = Demands(resolver, clock, policies, outside.trust)
        self._relays = relays
        self._conversions = conversions
        self._results = results or TlsResults(clock)
        self._idle = IdleClients()
        self._lately: Lately[Contact] = Lately(clock)
        self._silence = Silence(clock)
        self._bad_at_chunks = BadAtChunks(clock)
        self._chance = random.Random()  # noqa: S311 - spreads load, keeps no secret

    async def deliver(self, work: Work, source: Source, still_ours: Callable[[], bool]) -> list[Outcome]:
        """Give an outcome for each recipient, in their order.

        Raises:
            Lapsed: `still_ours` said no before the final dot.
        """
        began = time.monotonic()
        with self._converter(work, source) as converter:
            message = outgoing(work, source, still_ours, converter, self._clock.now)
            try:
                outcomes = await self._by_some_way(work, message)
            except Unavailable as error:
                outcomes = [_no_room(error)] * len(work.recipients)
        seconds = time.monotonic() - began
        return [replace(outcome, seconds=seconds) for outcome in outcomes]

    def _converter(self, work: Work, source: Source) -> AbstractContextManager[Downgrade | None]:
        return nullcontext() if self._conversions is None else Downgrade(self._conversions, work.item, source)

    async def _by_some_way(self, work: Work, message: Outgoing) -> list[Outcome]:
        attempts = max(recipient.attempts for recipient in work.recipients)
        relays = self._relays
        version = 0 if relays is None else relays.version()
        sender = "" if relays is None else relays.sender(work.item, version)
        asked = Asked(work.destination, attempts, _wish(work, message), message.require_tls, version, sender)
        if not work.urgent and (contact := self._lately.find(asked)) is not None:
            outcomes = await self._over_idle(contact, message)
            if outcomes is not None:
                return outcomes
        began = self._lately.now()
        found = await self._find(work.destination, attempts, sender, strict=message.require_tls)
        if isinstance(found, NoRoute):
            return [_no_route(found)] * len(work.recipients)
        return await self._along(found, work, message, partial(self._lately.keep, asked, began))

    async def _find(self, domain: str, attempts: int, sender: str, *, strict: bool) -> Found | NoRoute:
        """Find out where mail for a domain goes, that from `sender`."""
        relays = self._relays
        chosen = None if relays is None else relays.of(domain, attempts, sender)
        if relays is None or chosen is None:
            way: Way | NoRoute = BY_MX
        else:
            way = relays.way(chosen)
        if isinstance(way, NoRoute):
            return way
        fixed = None
        if relays is not None and chosen is not None and chosen.transport != "mx":
            hosts = await relays.hosts(self._resolver, chosen)
            fixed = relays.demand(chosen, strict=strict)
        else:
            hosts = await self._mx(domain)
        if isinstance(hosts, NoRoute):
            return hosts
        sts = NOTHING if fixed is not None else await self._demands.sts(domain)
        return Found(DomainDemands(domain, hosts, sts), way, fixed)

    async def _mx(self, domain: str) -> Route | NoRoute:
        return await find_route(
            self._resolver,
            domain,
            own_names={self._hostname},
            chance=self._chance,
            allow_private=self._settings.allow_private_addresses,
        )

    async def probe(self, domain: str, attempts: int = 0, sender: str = "") -> list[Outcome]:
        """Connect to every server at which mail for a domain (from `sender`) is tried; say how it went."""
        found = await self._find(domain, attempts, sender, strict=False)
        if isinstance(found, NoRoute):
            return [_no_route(found)]
        where = found.where
        outcomes: list[Outcome] = []
        for host in where.route.hosts:
            demand = found.fixed or await self._demands.of(where, host, Wish.NONE)
            if isinstance(demand, Forbidden):
                outcomes.append(self._forbidden(domain, host, demand))
                continue
            for address in host.addresses:
                contact = Contact(domain, host, address, demand, found.way, counted=False)
                outcomes.append(await self._probed(contact))
        return outcomes

    async def _probed(self, contact: Contact) -> Outcome:
        try:
            client, _ = await self._open(contact)
        except Unusable as error:
            return error.outcome
        outcome = client.ready()
        await client.close()
        return outcome

    async def close(self) -> None:
        """Close what is idle."""
        await self._idle.close()

    async def _along(
        self, found: Found, work: Work, message: Outgoing, went: Callable[[Contact], None]
    ) -> list[Outcome]:
        """Try host after host until one of them has answered for the message; `went` is told which."""
        worst: Outcome | None = None
        where = found.where
        wish = _wish(work, message)
        self._note_policy(where)
        for host in where.route.hosts:
            demand = found.fixed or await self._demands.of(where, host, wish)
            if isinstance(demand, Forbidden):
                worst = _better_known(worst, self._forbidden(where.domain, host, demand))
                continue
            for address in host.addresses:
                contact = found.contact(host, address, demand)
                try:
                    outcomes = await self._at(contact, work, message)
                except Unusable as error:
                    if error.ourselves:
                        # RFC 5321 §5.1: we are an MX of it, so this host and those behind it are no use.
                        return [worst or error.outcome] * len(work.recipients)
                    worst = _better_known(worst, _as_wished(error, wish))
                else:
                    if worst is None:  # the next message tries again what comes before (RFC 5321 §5.1)
                        went(contact)
                    return outcomes
        assert worst is not None
        return [worst] * len(work.recipients)

    async def _at(self, contact: Contact, work: Work, message: Outgoing) -> list[Outcome]:
        """Hand the message to one server.

        Raises:
            Unusable: it cannot be talked to, or fell silent before it could have taken the message.
        """
        host, address = contact.host, contact.address
        # Who asks for an attempt has perhaps had something changed there: a new connection will see it.
        outcomes = None if work.urgent else await self._over_idle(contact, message)
        if outcomes is not None:
            return outcomes
        if not work.urgent and (left := self._silence.left(address)):
            text = f"did not answer a moment ago; left alone for {about_duration(left)}"
            raise Unusable(Outcome(Verdict.DEFERRED, 0, "4.4.1", text, host.name, address, spoken=False))
        try:
            outcomes = await self._anew(contact, message)
        except Unusable as error:
            unheard = error.outcome.verdict is Verdict.DEFERRED and not error.outcome.spoken
            if unheard and not error.tls_failed:
                self._silence.note(address)
            raise
        self._silence.forget(address)
        return outcomes

    async def _anew(self, contact: Contact, message: Outgoing) -> list[Outcome]:
        """Hand the message over through a new connection, or a second one where it went wrong by BDAT.

        Raises:
            Unusable
        """
        client, key = await self._open(contact)
        try:
            return await self._with(client, message, key)
        except ChunksRefused:
            client, key = await self._open(contact)
            return await self._with(client, message, key)

    async def _over_idle(self, contact: Contact, message: Outgoing) -> list[Outcome] | None:
        """Hand the message over on a connection that is there already; None when there is none of use."""
        idle = self._idle.take(contact.host.name, contact.address, contact.key)
        if idle is None:
            return None
        try:
            return await self._with(idle, message, contact.key)
        except (Unusable, ChunksRefused):
            return None  # an old connection has died, which says nothing about a new one

    async def _open(self, contact: Contact) -> tuple[SmtpClient, str]:
        """Connect as securely as is demanded; give the key of what came about, too.

        Raises:
            Unusable
        """
        demand = contact.demand
        try:
            client = await self._connect(contact, demand.security)
        except Unusable as error:
            if not error.tls_failed:
                raise
            self._note_failure(contact, error)
            if demand.security.required and not demand.lenient:
                raise
        else:
            self._note_session(contact, client)
            return client, contact.key
        if not demand.lenient:
            # Opportunistic (RFC 7435): without encryption is better than not at all.
            return await self._connect(contact, None), contact.way.key
        # MTA-STS testing (RFC 8461 §5): it has been noted, and the message goes all the same.
        plain = self._demands.opportunistic
        try:
            return await self._connect(contact, plain.security), contact.way.key
        except Unusable as error:
            if not error.tls_failed:
                raise
        return await self._connect(contact, None), contact.way.key

    async def _connect(self, contact: Contact, security: Security | None) -> SmtpClient:
        return await SmtpClient.open(
            contact.host.name,
            contact.address,
            contact.way.port or self._port(contact.address),
            hostname=self._hostname,
            tls=security,
            timeouts=self._timeouts,
            source=contact.way.source(contact.address),
            manner=contact.way.manner,
        )

    async def _with(self, client: SmtpClient, message: Outgoing, key: str) -> list[Outcome]:
        if message.require_tls and message.sender is not None and not client.offers("REQUIRETLS"):
            outcome = client.refused(550, "5.7.30", "REQUIRETLS support required")  # RFC 8689 §4.2.1
            self._idle.keep(client, key)
            raise Unusable(outcome)
        if slow := client.too_slow(message):
            self._idle.keep(client, key)
            raise Unusable(client.refused(550, "5.4.7", slow))
        try:
            outcomes = await client.send(message, chunks=client.address not in self._bad_at_chunks)
        except BaseException:
            client.abort()
            raise
        finally:
            if client.bad_at_chunks:
                self._bad_at_chunks.note(client.address)
        self._idle.keep(client, key)
        return outcomes

    # -- what reports are made of (RFC 8460) ------------------------------------

    def _note_policy(self, where: DomainDemands) -> None:
        """A policy that could not be fetched is a failure of its own."""
        if where.sts.trouble:
            applied = self._demands.announced(where)
            self._results.failure(where.domain, applied, Failure(where.sts.trouble, text=where.sts.reason))

    def _note_session(self, contact: Contact, client: SmtpClient) -> None:
        if not contact.counted:
            return
        domain, demand = contact.domain, contact.demand
        result = demand.fault or client.tls_trouble
        if not result:
            self._results.success(domain, demand.applied)
            return
        failure = Failure(result, client.host, client.address, client.source, demand.fault_code)
        self._results.failure(domain, demand.applied, failure)

    def _note_failure(self, contact: Contact, error: Unusable) -> None:
        if contact.counted:
            text = error.outcome.text[:200]
            failure = Failure(error.tls_failed, contact.host.name, contact.address, text=text)
            self._results.failure(contact.domain, contact.demand.applied, failure)

    def _forbidden(self, domain: str, host: Host, no: Forbidden) -> Outcome:
        self._results.failure(domain, no.applied, Failure(no.result, host.name, code=no.code, text=no.text))
        verdict = Verdict.FAILED if no.status.startswith("5") else Verdict.DEFERRED
        return Outcome(verdict, 0, no.status, no.text, host.name, spoken=False)


def _wish(work: Work, message: Outgoing) -> Wish:
    if message.require_tls and message.sender is None:
        return Wish.NONE  # RFC 8689 §5: a bounce is not lost for that
    return Wish(work.item.tls)


def _as_wished(error: Unusable, wish: Wish) -> Outcome:
    """A server without TLS as REQUIRETLS wants it is no use, now and later (RFC 8689 §4.2.1)."""
    if wish is Wish.REQUIRED and error.tls_failed:
        return replace(error.outcome, verdict=Verdict.FAILED, enhanced="5.7.10")
    return error.outcome


def _no_room(error: Unavailable) -> Outcome:
    """The message cannot be put into the form that the server takes."""
    return Outcome(Verdict.DEFERRED, 452, "4.3.1", f"no room to convert it: {error}", spoken=False)


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
