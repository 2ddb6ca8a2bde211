"""The MTA-STS policies of other domains: discovered, fetched, kept in the database (RFC 8461 §3)."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
from msgspec import Struct

from postroad.db.database import Database
from postroad.db.transaction import Reader, Transaction
from postroad.mailauth.mtasts import POLICY_OCTETS, BadPolicy, Mode, Policy, parse_policy, policy_id
from postroad.model.answers import Found, TemporaryFailure
from postroad.model.clock import Clock
from postroad.model.refusal import Unavailable
from postroad.model.resolver import Resolver
from postroad.net.outward import HttpsTrouble, Outward
from postroad.obs.log import log

FETCH_SECONDS: Final = 60.0
"""RFC 8461 §3.3 suggests it."""
RETRY_SECONDS: Final = 300.0
"""Between two attempts for the same id that failed (RFC 8461 §10.2: five minutes or longer)."""
REFRESH_SECONDS: Final = 86400.0
"""RFC 8461 §3.3: daily; sooner where a policy does not hold for two days."""
USED_SECONDS: Final = 30 * 86400.0
"""Policies of domains that nobody has written to for so long are left to expire."""
SILENT_MOST: Final = 10_000
AT_ONCE: Final = 100
"""Policies that are refreshed in one go."""


class Known(Struct, frozen=True):
    """What holds for a domain now."""

    policy: Policy | None
    """None: there is none, or none that is known."""
    trouble: str = ""
    """Why a policy that is announced could not be had, as a result type of RFC 8460 §4.3."""
    reason: str = ""
    """The same in words."""


NOTHING: Final = Known(None)


class _Row(Struct, frozen=True):
    id: str
    policy: Policy | None
    fetched: float
    tried: float
    tried_id: str
    trouble: str
    reason: str
    used: float

    def known(self, now: float) -> Known:
        """The policy as long as it holds, and what went wrong last."""
        live = self.policy is not None and now < self.fetched + self.policy.max_age
        return Known(self.policy if live else None, self.trouble, self.reason)


class StsPolicies:
    """One worker's way to the policies that all workers share."""

    def __init__(self, database: Database, resolver: Resolver, outward: Outward, clock: Clock) -> None:
        self._database = database
        self._resolver = resolver
        self._outward = outward
        self._clock = clock
        self._fetching: dict[str, asyncio.Task[Known]] = {}
        self._silent: dict[str, float] = {}
        """Domains whose DNS did not answer, and until when they are not asked."""

    async def of(self, domain: str) -> Known:
        """What a domain demands. Never raises: a policy that cannot be had is none, unless one is kept."""
        if domain.startswith("["):
            return NOTHING  # an address literal has no policy
        announced = await self._announced(domain)
        row = self._database.ask(lambda reader: _read(reader, domain))
        now = self._clock.now()
        known = NOTHING if row is None else row.known(now)
        if announced is None:
            # RFC 8461 §3.3: what is kept is applied, whatever became of the record.
            return known if known.policy is not None else NOTHING
        if row is not None and row.used + REFRESH_SECONDS <= now:
            await self._write(lambda tx: _use(tx, domain))
        if row is not None and known.policy is not None and row.id == announced:
            return known
        if row is not None and row.tried_id == announced and now < row.tried + RETRY_SECONDS:
            return known
        return await self._fetch(domain, announced, known)

    async def _announced(self, domain: str) -> str | None:
        """The id of the policy that a domain announces; a DNS that is silent is not asked all the time."""
        now = self._clock.monotonic()
        if now < self._silent.get(domain, 0.0):
            return None
        records = await self._resolver.txt(f"_mta-sts.{domain}")
        if isinstance(records, TemporaryFailure):
            self._silent[domain] = now + RETRY_SECONDS
            if len(self._silent) > SILENT_MOST:
                del self._silent[next(iter(self._silent))]
        return policy_id(records.records) if isinstance(records, Found) else None

    async def refresh(self) -> int:
        """Fetch anew what is a day old, so that it does not expire; give how many policies that were."""
        now = self._clock.now()
        old = self._database.read(lambda reader: _old(reader, now))
        for domain in old:
            records = await self._resolver.txt(f"_mta-sts.{domain}")
            announced = policy_id(records.records) if isinstance(records, Found) else None
            row = self._database.read(partial(_read, domain=domain))
            if row is None:
                continue
            if announced is None:
                await self._write(partial(_put_off, domain=domain))
            else:
                await self._fetch(domain, announced, row.known(now))
        await self._write(_forget)
        return len(old)

    async def _fetch(self, domain: str, announced: str, kept: Known) -> Known:
        """Fetch a policy, once for all who wait for it; what is kept stays where that fails."""
        task = self._fetching.get(domain)
        if task is None:
            task = asyncio.create_task(self._fetch_now(domain, announced, kept))
            self._fetching[domain] = task
            task.add_done_callback(lambda _: self._fetching.pop(domain, None))
        return await asyncio.shield(task)

    async def _fetch_now(self, domain: str, announced: str, kept: Known) -> Known:
        try:
            policy = await self._get(domain)
        except (HttpsTrouble, BadPolicy) as error:
            trouble, reason = _trouble(error), str(error)[:200]
            log.info("mtasts.not_fetched", domain=domain, trouble=trouble, reason=reason)
            await self._write(lambda tx: _failed(tx, domain, announced, trouble, reason))
            return Known(kept.policy, trouble, reason)
        log.info("mtasts.fetched", domain=domain, mode=policy.mode.value, max_age=policy.max_age)
        await self._write(lambda tx: _keep(tx, domain, announced, policy))
        return Known(policy)

    async def _get(self, domain: str) -> Policy:
        answer = await self._outward.ask(
            "GET",
            f"https://mta-sts.{domain}/.well-known/mta-sts.txt",
            most=POLICY_OCTETS,
            timeout=FETCH_SECONDS,
            headers={"Accept": "text/plain", "Cache-Control": "no-cache"},
        )
        if answer.status != 200:  # redirects MUST NOT be followed (RFC 8461 §3.3)
            raise HttpsTrouble(f"the policy host answers with status {answer.status}")
        if answer.content_type != "text/plain":
            raise BadPolicy(f"its media type is {answer.content_type[:40] or 'missing'}, not text/plain")
        return parse_policy(answer.octets)

    async def _write(self, work: Callable[[Transaction], None]) -> None:
        try:
            await self._database.write(work)
        except Unavailable as error:
            log.warning("mtasts.not_kept", error=str(error))  # it is fetched again


def _trouble(error: HttpsTrouble | BadPolicy) -> str:
    if isinstance(error, BadPolicy):
        return "sts-policy-invalid"
    return "sts-webpki-invalid" if error.certificate else "sts-policy-fetch-error"


_COLUMNS: Final = "id, mode, max_age, mx, fetched, tried, tried_id, trouble, reason, used"


def _read(reader: Reader, domain: str) -> _Row | None:
    row = reader.row(f"SELECT {_COLUMNS} FROM sts_policy WHERE domain = ?", domain)  # noqa: S608 - a constant
    if row is None:
        return None
    number, mode, max_age, mx, *rest = row
    policy = Policy(Mode(mode), max_age, msgspec.json.decode(mx, type=tuple[str, ...])) if mode else None
    return _Row(number, policy, *rest)


def _keep(tx: Transaction, domain: str, number: str, policy: Policy) -> None:
    tx.run(
        "INSERT INTO sts_policy (domain, id, mode, max_age, mx, fetched, tried, tried_id, used)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?2, ?6) ON CONFLICT (domain) DO UPDATE SET"
        " id = ?2, mode = ?3, max_age = ?4, mx = ?5, fetched = ?6, tried = ?6, tried_id = ?2,"
        " trouble = '', reason = ''",
        *(domain, number, policy.mode.value, policy.max_age, msgspec.json.encode(policy.mx).decode(), tx.now),
    )


def _failed(tx: Transaction, domain: str, number: str, trouble: str, reason: str) -> None:
    tx.run(
        "INSERT INTO sts_policy (domain, tried, tried_id, trouble, reason, used)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?2) ON CONFLICT (domain) DO UPDATE SET"
        " tried = ?2, tried_id = ?3, trouble = ?4, reason = ?5",
        *(domain, tx.now, number, trouble, reason),
    )


def _use(tx: Transaction, domain: str) -> None:
    tx.run("UPDATE sts_policy SET used = ? WHERE domain = ?", tx.now, domain)


def _put_off(tx: Transaction, domain: str) -> None:
    """Nothing is announced any more; the policy that is kept holds to its end."""
    tx.run("UPDATE sts_policy SET tried = ? WHERE domain = ?", tx.now, domain)


def _old(reader: Reader, now: float) -> list[str]:
    rows = reader.rows(
        "SELECT domain FROM sts_policy WHERE mode != '' AND fetched + max_age > ?1 AND used > ?1 - ?2"
        " AND max(fetched, tried) <= ?1 - min(?3, max_age / 2) ORDER BY fetched LIMIT ?4",
        *(now, USED_SECONDS, REFRESH_SECONDS, AT_ONCE),
    )
    return [domain for (domain,) in rows]


def _forget(tx: Transaction) -> None:
    """Drop what has expired, and failures without a policy; they are found again when they are needed."""
    tx.run(
        "DELETE FROM sts_policy WHERE (mode = '' OR fetched + max_age <= ?1) AND tried <= ?1 - ?2",
        *(tx.now, REFRESH_SECONDS),
    )
