"""Log-in: the right password quickly, a wrong one slowly and always alike (RFC 4422 §6.1).

Unknown user, wrong password and suspended account are told apart neither by
words nor by time: each costs one hash, one count and one delay.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from secrets import token_bytes
from typing import Final

from postroad.config.limits import Limits
from postroad.db.database import Database
from postroad.db.transaction import Reader, Transaction
from postroad.directory import accounts, throttle
from postroad.directory.accounts import AccountInfo
from postroad.directory.credentials import Credential, Hasher, credential, prepared
from postroad.directory.errors import AuthenticationFailed, BadPassword
from postroad.model.address import AddressError, parse_mailbox
from postroad.model.clock import Clock
from postroad.model.refusal import Refused, Unavailable
from postroad.obs.log import log
from postroad.obs.metrics import LOGINS
from postroad.policy.network import network_of

THREADS: Final = 2
"""Hashes at a time; each takes 64 MiB."""
MOST_WAITING: Final = 200
"""Log-ins that may wait for one of the threads."""

_MEMO_SECONDS: Final = 600.0
_MEMO_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Attempt:
    """All that the database knows about a log-in when it begins."""

    account: AccountInfo | None
    credential: Credential | None
    windows: tuple[throttle.Window, ...]
    network: str
    full: str
    """Name of the limit that is reached already, or empty."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    right: bool
    failures: int


class Authenticator:
    """The log-ins of one worker."""

    def __init__(self, database: Database, clock: Clock, limits: Limits, hasher: Hasher) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits
        self._hasher = hasher
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hash")
        self._slots = asyncio.Semaphore(THREADS)
        self._key = token_bytes(32)
        self._memo: dict[bytes, float] = {}
        self._running: dict[bytes, asyncio.Task[_Verdict]] = {}

    async def authenticate(self, login: str, password: str, peer_address: str, protocol: str) -> AccountInfo:
        """Return the account that `login` and `password` open.

        Raises:
            AuthenticationFailed: whatever is wrong with them.
            Refused: too many failures from there, or into that account.
            Unavailable: too many log-ins wait already.
        """
        began = self._clock.monotonic()
        attempt = self._database.read(partial(self._look_up, login=login, peer_address=peer_address))
        if attempt.full:
            await self._limited(attempt.full, began, protocol, peer_address)
        ready = _prepared_or_none(password)
        key = self._memo_key(attempt, login, ready)
        if self._remembers(key):
            verdict = _Verdict(True, 0)
        else:
            try:
                verdict = await self._verify_once(key, attempt, ready)
            except throttle.TooManyFailures as error:
                await self._limited(error.limit, began, protocol, peer_address)
        account = attempt.account
        if verdict.right and account is not None and not account.suspended:
            LOGINS.labels(protocol, "accepted").inc()
            return account
        LOGINS.labels(protocol, "failed").inc()
        log.info(
            "login.failed",
            protocol=protocol,
            peer=peer_address,
            account=account.id if account else None,
            failures=verdict.failures,
        )
        await self._delay(began, verdict.failures)
        raise AuthenticationFailed

    async def close(self) -> None:
        """Let what is under way come to its end."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        self._threads.shutdown(wait=True)

    def _look_up(self, reader: Reader, *, login: str, peer_address: str) -> _Attempt:
        key = _login_key(login)
        account = accounts.by_key(reader, key)
        network = network_of(peer_address)
        counted = throttle.windows(
            reader,
            self._limits,
            network=network,
            login_key=key,
            account_id=account.id if account else None,
        )
        full = ""
        try:
            throttle.check(reader, self._clock.now(), counted)
        except throttle.TooManyFailures as error:
            full = error.limit
        stored = credential(reader, account.id) if account else None
        return _Attempt(account, stored, counted, network, full)

    async def _verify_once(self, key: bytes, attempt: _Attempt, ready: str | None) -> _Verdict:
        """Verify, or wait for the same log-in that is being verified already.

        A client opens several connections at once with one password; that is
        one guess and costs one hash.
        """
        running = self._running.get(key)
        if running is None:
            if len(self._running) >= MOST_WAITING:
                raise Unavailable("too many log-ins at a time", retry_after=10.0)
            running = asyncio.create_task(self._verify(key, attempt, ready))
            self._running[key] = running
            running.add_done_callback(lambda _: self._running.pop(key, None))
        # A session that goes away must not take the others' verdict with it.
        return await asyncio.shield(running)

    async def _verify(self, key: bytes, attempt: _Attempt, ready: str | None) -> _Verdict:
        """Count, hash, and take the count back when the password was right."""
        async with self._slots:
            # Counted only with a slot in hand: so no more than a few honest log-ins are
            # ever counted as failures for the moment, however many come at once.
            failures = await self._count(partial(throttle.reserve, counted=attempt.windows))
            stored = attempt.credential
            matches = await asyncio.get_running_loop().run_in_executor(
                self._threads,
                self._hasher.verify,
                *(stored.hash if stored else self._hasher.dummy, ready or " "),
            )
            account = attempt.account
            if not (matches and stored and account and ready) or account.suspended:
                return _Verdict(False, failures)
            await self._count(partial(_succeeded, attempt=attempt, account_id=account.id))
            self._memorize(key)
            return _Verdict(True, 0)

    async def _count(self, work: Callable[[Transaction], int]) -> int:
        try:
            return await self._database.write(work)
        except Unavailable:
            # A full disk: people must be able to log in and delete. The delay still slows guesses.
            return 1

    async def _limited(self, limit: str, began: float, protocol: str, peer_address: str) -> None:
        LOGINS.labels(protocol, "limited").inc()
        log.info("login.limited", protocol=protocol, peer=peer_address, limit=limit)
        await self._delay(began, 1)
        raise Refused(454, "4.7.0", "too many failed log-ins, try again later", f"limits.{limit}")

    async def _delay(self, began: float, failures: int) -> None:
        """Wait from the beginning of the log-in on, so that what it took does not show."""
        doublings = min(max(failures, 1) - 1, 16)
        delay = min(self._limits.auth_delay * 2**doublings, self._limits.auth_delay_max)
        remaining = began + delay - self._clock.monotonic()
        if remaining > 0:
            await self._clock.sleep(remaining)

    # -- memo: pollers log in every minute, and a hash takes a tenth of a second ----------

    def _memo_key(self, attempt: _Attempt, login: str, ready: str | None) -> bytes:
        """A digest of who, from where, and the password; useless outside this process.

        The network is in it, so the memo helps nobody who guesses from elsewhere.
        """
        account = attempt.account.id if attempt.account else -1
        version = attempt.credential.version if attempt.credential else -1
        who = repr((account, version, attempt.network, login if account < 0 else "", ready))
        return blake2b(who.encode(), key=self._key, digest_size=32).digest()

    def _remembers(self, key: bytes) -> bool:
        expires = self._memo.get(key)
        return expires is not None and self._clock.monotonic() < expires

    def _memorize(self, key: bytes) -> None:
        self._memo.pop(key, None)
        while len(self._memo) >= _MEMO_MOST:
            del self._memo[next(iter(self._memo))]
        self._memo[key] = self._clock.monotonic() + _MEMO_SECONDS


def _succeeded(tx: Transaction, *, attempt: _Attempt, account_id: int) -> int:
    throttle.refund(tx, attempt.windows)
    throttle.remember(tx, account_id, attempt.network)
    return 0


def _login_key(login: str) -> str:
    """The account key of a log-in name; one that is no address finds no account."""
    try:
        return parse_mailbox(login.strip()).key
    except AddressError:
        return "\0" + login[:1024].encode(errors="replace").decode()


def _prepared_or_none(password: str) -> str | None:
    try:
        return prepared(password)
    except BadPassword:
        return None
