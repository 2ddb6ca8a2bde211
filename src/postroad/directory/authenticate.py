"""Passwords: the right one quickly, a wrong one slowly and always alike (RFC 4422 §6.1).

Unknown user, wrong password and suspended account are told apart neither by
words nor by time: each costs one hash, one count and one delay.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from secrets import token_bytes
from typing import Final

from postroad.config.logins import Auth
from postroad.db.database import Database
from postroad.db.transaction import Reader, Transaction
from postroad.directory import throttle
from postroad.directory.app_passwords import AppPassword, matching
from postroad.directory.attempts import Attempt, Attempts, LoggedIn, succeeded
from postroad.directory.client import Client
from postroad.directory.credentials import Credential, Hasher, credential, prepared
from postroad.directory.errors import BadPassword
from postroad.directory.scram import THE_PASSWORD, KeySet, Recipe, keep_keys, make_keys, stale_keys
from postroad.model.clock import Clock
from postroad.model.refusal import Unavailable

THREADS: Final = 2
"""Hashes at a time; each takes 64 MiB."""
MOST_WAITING: Final = 200
"""Log-ins that may wait for one of the threads."""

_MEMO_SECONDS: Final = 600.0
_MEMO_MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Stored:
    """What a password is held against."""

    credential: Credential | None
    app_password: AppPassword | None
    """The one that was typed."""
    stale: dict[str, Recipe] | None
    """How SCRAM keys are to be made of the password; None: they are there, or not wanted."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    right: bool
    failures: int


class Authenticator:
    """The passwords of one worker."""

    def __init__(
        self, database: Database, clock: Clock, attempts: Attempts, hasher: Hasher, auth: Auth
    ) -> None:
        self.auth = auth
        self._database = database
        self._clock = clock
        self._attempts = attempts
        self._hasher = hasher
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hash")
        self._slots = asyncio.Semaphore(THREADS)
        self._key = token_bytes(32)
        self._memo: dict[bytes, float] = {}
        self._running: dict[bytes, asyncio.Task[_Verdict]] = {}

    async def authenticate(self, login: str, password: str, client: Client, mechanism: str) -> LoggedIn:
        """Return the account that `login` and `password` open.

        Raises:
            AuthenticationFailed: whatever is wrong with them.
            Refused: too many failures from there, or into that account.
            Unavailable: too many log-ins wait already.
        """
        attempt = await self._attempts.begin(login, client, mechanism)
        stored = self._database.read(partial(self._look_up, attempt=attempt, password=password))
        used = stored.app_password
        if used is not None:
            opens = used.opens(client.scope, self._clock.now())
            return await self._attempts.settle(attempt, attempt.account if opens else None, used)
        ready = _prepared_or_none(password)
        key = self._memo_key(attempt, stored, login, ready)
        if self._remembers(key):
            verdict = _Verdict(True, 0)
        else:
            try:
                verdict = await self._verify_once(key, attempt, stored, ready)
            except throttle.TooManyFailures as error:
                await self._attempts.limited(attempt, error.limit)
        account = attempt.account
        if verdict.right and account is not None and not account.suspended:
            return self._attempts.accepted(attempt, account)
        await self._attempts.failed(attempt, verdict.failures)

    async def close(self) -> None:
        """Let what is under way come to its end."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        self._threads.shutdown(wait=True)

    def _look_up(self, reader: Reader, *, attempt: Attempt, password: str) -> _Stored:
        account = attempt.account
        if account is None:
            return _Stored(None, None, None)
        used = matching(reader, account.id, password)
        if account.app_passwords_only:
            return _Stored(None, used, None)
        stale = None
        if self.auth.scram != "off":
            stale = stale_keys(reader, attempt.name, account.id, self.auth.scram_iterations)
        return _Stored(credential(reader, account.id), used, stale)

    async def _verify_once(
        self, key: bytes, attempt: Attempt, stored: _Stored, ready: str | None
    ) -> _Verdict:
        """Verify, or wait for the same log-in that is being verified already.

        A client opens several connections at once with one password; that is
        one guess and costs one hash.
        """
        running = self._running.get(key)
        if running is None:
            if len(self._running) >= MOST_WAITING:
                raise Unavailable("too many log-ins at a time", retry_after=10.0)
            running = asyncio.create_task(self._verify(key, attempt, stored, ready))
            self._running[key] = running
            running.add_done_callback(lambda _: self._running.pop(key, None))
        # A session that goes away must not take the others' verdict with it.
        return await asyncio.shield(running)

    async def _verify(self, key: bytes, attempt: Attempt, stored: _Stored, ready: str | None) -> _Verdict:
        """Count, hash, and take the count back when the password was right."""
        async with self._slots:
            # Counted only with a slot in hand: so no more than a few honest log-ins are
            # ever counted as failures for the moment, however many come at once.
            failures = await self._attempts.count(partial(throttle.reserve, counted=attempt.windows))
            known = stored.credential
            run = asyncio.get_running_loop().run_in_executor
            try:
                matches = await run(
                    self._threads,
                    self._hasher.verify,
                    *(known.hash if known else self._hasher.dummy, ready or " "),
                )
            except Unavailable:
                await self._attempts.count(partial(_never_mind, attempt=attempt))
                raise
            account = attempt.account
            if not (matches and known and account and ready) or account.suspended:
                return _Verdict(False, failures)
            keys: KeySet = {}
            if stored.stale is not None:
                keys = await run(self._threads, make_keys, ready, stored.stale)
            await self._attempts.count(
                partial(_right, attempt=attempt, account_id=account.id, version=known.version, keys=keys)
            )
            self._memorize(key)
            return _Verdict(True, 0)

    # -- memo: pollers log in every minute, and a hash takes a tenth of a second ----------

    def _memo_key(self, attempt: Attempt, stored: _Stored, login: str, ready: str | None) -> bytes:
        """A digest of who, from where, and the password; useless outside this process.

        The network is in it, so the memo helps nobody who guesses from elsewhere.
        """
        account = attempt.account.id if attempt.account else -1
        version = stored.credential.version if stored.credential else -1
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


def _right(tx: Transaction, *, attempt: Attempt, account_id: int, version: int, keys: KeySet) -> int:
    succeeded(tx, attempt, account_id)
    now_known = credential(tx, account_id)
    if keys and now_known is not None and now_known.version == version:  # or they were another password's
        keep_keys(tx, account_id, THE_PASSWORD, keys)
    return 0


def _never_mind(tx: Transaction, *, attempt: Attempt) -> int:
    throttle.refund(tx, attempt.windows)
    return 0


def _prepared_or_none(password: str) -> str | None:
    try:
        return prepared(password)
    except BadPassword:
        return None
