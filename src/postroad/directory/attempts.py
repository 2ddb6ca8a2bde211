"""What every log-in goes through, however it is proved: counted, delayed, noted, logged.

Right and wrong are told apart by nobody but the caller: unknown user, wrong
proof and suspended account get one word and one delay (RFC 4422 §6.1).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn

from postroad.config.limits import Limits
from postroad.db.database import Database
from postroad.db.transaction import Reader, Transaction
from postroad.directory import accounts, throttle
from postroad.directory.accounts import AccountInfo
from postroad.directory.app_passwords import AppPassword, note_use, use_is_noted
from postroad.directory.client import Client
from postroad.directory.errors import AuthenticationFailed
from postroad.model.address import AddressError, parse_mailbox
from postroad.model.clock import Clock
from postroad.model.refusal import Refused, Unavailable
from postroad.obs.log import log
from postroad.obs.metrics import LOGINS
from postroad.policy.network import network_of


@dataclass(frozen=True, slots=True)
class Attempt:
    """A log-in that has begun."""

    name: str
    """The key of the account, whether there is one or not."""
    account: AccountInfo | None
    client: Client
    mechanism: str
    began: float
    windows: tuple[throttle.Window, ...]

    @property
    def network(self) -> str:
        """What is counted for the client."""
        return network_of(self.client.address)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who it is, and how that was proved."""

    account: AccountInfo
    mechanism: str
    app_password: str = ""
    """Its label; empty if it was none."""

    @property
    def sentence(self) -> str:
        """For the trail."""
        label = f' with the app password "{self.app_password}"' if self.app_password else ""
        return f"logged in by {self.mechanism}{label}"


class Attempts:
    """The log-ins of one worker."""

    def __init__(self, database: Database, clock: Clock, limits: Limits) -> None:
        self.limits = limits
        self._database = database
        self._clock = clock

    async def begin(self, login: str, client: Client, mechanism: str) -> Attempt:
        """Look up who it may be.

        Raises:
            Refused: too many failures from there, or into that account.
        """
        began = self._clock.monotonic()
        attempt, full = self._database.read(
            partial(self._look_up, login=login, client=client, mechanism=mechanism, began=began)
        )
        if full:
            await self.limited(attempt, full)
        return attempt

    def go_on(self, attempt: Attempt) -> Attempt:
        """The client has answered: what it took for that is no part of the delay."""
        return replace(attempt, began=self._clock.monotonic())

    async def settle(
        self, attempt: Attempt, account: AccountInfo | None, used: AppPassword | None = None
    ) -> LoggedIn:
        """Let a client in that has proved to be `account`, or turn it away for None.

        For proofs that cost next to nothing to check: the count is looked at
        and raised in one transaction, so that guesses side by side do not all
        pass it before any of them counts.

        Raises:
            AuthenticationFailed, Refused
        """
        if account is not None and account.suspended:
            account = None
        if account is not None and self._database.read(
            partial(self._nothing_to_note, attempt=attempt, account_id=account.id, used=used)
        ):
            return self.accepted(attempt, account, used)
        try:
            failures = await self.count(partial(_settle, attempt=attempt, account=account, used=used))
        except throttle.TooManyFailures as error:
            await self.limited(attempt, error.limit)
        if account is None:
            await self.failed(attempt, failures)
        return self.accepted(attempt, account, used)

    async def count(self, work: Callable[[Transaction], int]) -> int:
        """Write to the counts; 1 where nothing can be written."""
        try:
            return await self._database.write(work)
        except Unavailable:
            # A full disk: people must be able to log in and delete. The delay still slows guesses.
            return 1

    # -- what comes of it ---------------------------------------------------

    def accepted(self, attempt: Attempt, account: AccountInfo, used: AppPassword | None = None) -> LoggedIn:
        """Note that somebody is in."""
        LOGINS.labels(attempt.client.protocol, "accepted").inc()
        logged_in = LoggedIn(account, attempt.mechanism, used.label if used else "")
        log.info(
            "login.accepted",
            protocol=attempt.client.protocol,
            peer=attempt.client.address,
            account=account.id,
            mechanism=attempt.mechanism,
            app_password=logged_in.app_password or None,
        )
        return logged_in

    async def failed(self, attempt: Attempt, failures: int) -> NoReturn:
        """Turn a client away, slowly."""
        LOGINS.labels(attempt.client.protocol, "failed").inc()
        log.info(
            "login.failed",
            protocol=attempt.client.protocol,
            peer=attempt.client.address,
            account=attempt.account.id if attempt.account else None,
            mechanism=attempt.mechanism,
            failures=failures,
        )
        await self._delay(attempt.began, failures)
        raise AuthenticationFailed

    async def limited(self, attempt: Attempt, limit: str) -> NoReturn:
        """Turn a client away without looking at what it has to show."""
        client = attempt.client
        LOGINS.labels(client.protocol, "limited").inc()
        log.info("login.limited", protocol=client.protocol, peer=client.address, limit=limit)
        await self._delay(attempt.began, 1)
        raise Refused(454, "4.7.0", "too many failed log-ins, try again later", f"limits.{limit}")

    async def _delay(self, began: float, failures: int) -> None:
        """Wait from the beginning of the log-in on, so that what it took does not show."""
        doublings = min(max(failures, 1) - 1, 16)
        delay = min(self.limits.auth_delay * 2**doublings, self.limits.auth_delay_max)
        remaining = began + delay - self._clock.monotonic()
        if remaining > 0:
            await self._clock.sleep(remaining)

    # -- questions ----------------------------------------------------------

    def _look_up(
        self, reader: Reader, *, login: str, client: Client, mechanism: str, began: float
    ) -> tuple[Attempt, str]:
        """The attempt, and the name of the limit that is reached already, or nothing."""
        name = login_key(login)
        account = accounts.by_key(reader, name)
        counted = throttle.windows(
            reader,
            self.limits,
            network=network_of(client.address),
            login_key=name,
            account_id=account.id if account else None,
        )
        attempt = Attempt(name, account, client, mechanism, began, counted)
        try:
            throttle.check(reader, self._clock.now(), counted)
        except throttle.TooManyFailures as error:
            return attempt, error.limit
        return attempt, ""

    def _nothing_to_note(
        self, reader: Reader, *, attempt: Attempt, account_id: int, used: AppPassword | None
    ) -> bool:
        """Whether letting somebody in changes nothing: who polls must not cost a write each time."""
        now = self._clock.now()
        try:
            throttle.check(reader, now, attempt.windows)
        except throttle.TooManyFailures:
            return False
        if used is not None and not use_is_noted(used, now):
            return False
        return throttle.is_fresh(reader, account_id, attempt.network, now)


def succeeded(tx: Transaction, attempt: Attempt, account_id: int) -> None:
    """Take a reservation back and note the network."""
    throttle.refund(tx, attempt.windows)
    throttle.remember(tx, account_id, attempt.network)


def login_key(login: str) -> str:
    """The account key of a log-in name; one that is no address finds no account."""
    try:
        return parse_mailbox(login.strip()).key
    except AddressError:
        return "\0" + login[:1024].encode(errors="replace").decode()


def _settle(
    tx: Transaction, *, attempt: Attempt, account: AccountInfo | None, used: AppPassword | None
) -> int:
    if account is None:
        return throttle.reserve(tx, attempt.windows)
    throttle.check(tx, tx.now, attempt.windows)
    throttle.remember(tx, account.id, attempt.network)
    if used is not None:
        note_use(tx, account.id, used.label, attempt.client.address, attempt.client.scope)
    return 0
