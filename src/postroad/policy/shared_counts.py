"""Who may connect: counts over all workers, by address (IPv6: by /64), account and in all."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from postroad.config.limits import Limits
from postroad.model.clock import Clock
from postroad.model.crowd import AS_LIMITS_SAY, Crowd
from postroad.policy.counts_file import CountsFile
from postroad.policy.network import network_of

MINUTE: Final = 60.0
DAY: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """There is no room; `limit` names the setting, `public` may be told to the peer."""

    limit: str
    public: str


@dataclass(slots=True, eq=False)
class Admission:
    """A connection that is counted, until it is released."""

    digest: int
    counted: bool
    """Its address found room in the table; if not, it counts in the totals alone."""
    waiting: bool = True
    """It has not logged in, nor shown otherwise that it is worth its place."""
    released: bool = False


@dataclass(slots=True, eq=False)
class UserSession:
    """An IMAP session that is counted for its account, until it is released."""

    digests: tuple[int, ...]
    released: bool = False


UNIX: Final = ""
"""The address of a peer at a Unix socket: one of our own machine."""


class SharedCounts:
    """One worker's counters. The supervisor makes the file (`counts_file.create`) before it starts them."""

    def __init__(self, path: Path, worker: int, limits: Limits, clock: Clock) -> None:
        self._file = CountsFile(path, worker)
        self._clock = clock
        self.use(limits)

    def use(self, limits: Limits) -> None:
        """Count against these limits from now on."""
        self._limits = limits
        self._uncounted = frozenset((*limits.uncounted_addresses, UNIX))

    def admit(self, address: str, crowd: Crowd = AS_LIMITS_SAY) -> Admission | Refusal:
        """Count a new connection, or say why it cannot be; `crowd` is what its listener wants of its own.

        All connections of an address count, at whichever listener.
        """
        file, limits, now = self._file, self._limits, self._clock.monotonic()
        file.look(now)
        if address in self._uncounted:
            if file.totals()[0] >= limits.connections:
                return Refusal("connections", "too many connections")
            file.add_totals(1, 1)
            return Admission(0, counted=False)
        digest = file.digest(f"address {network_of(address)}")
        file.count(digest, now, MINUTE)
        if file.rate(digest, now, MINUTE) > (crowd.rate or limits.connection_rate):
            return Refusal("connection_rate", "too many connections from your address in a minute")
        waiting, total = file.sums(digest)
        if total >= (crowd.connections or limits.connections_per_address):
            return Refusal("connections_per_address", "too many connections from your address")
        if waiting >= (crowd.unauthenticated or limits.unauthenticated_per_address):
            return Refusal(
                "unauthenticated_per_address", "too many connections from your address without log-in"
            )
        if file.totals()[0] >= limits.connections:
            return Refusal("connections", "too many connections")
        file.add_totals(1, 1)
        return Admission(digest, file.add(digest, 1, 1, now))

    def authenticated(self, admission: Admission) -> None:
        """The connection has logged in; it no longer counts as one that waits."""
        if admission.waiting and not admission.released:
            admission.waiting = False
            self._file.add_totals(0, -1)
            if admission.counted:
                self._file.add(admission.digest, -1, 0, self._clock.monotonic())

    def logged_out(self, admission: Admission) -> None:
        """The connection waits for a log-in again (RFC 8437)."""
        if not admission.waiting and not admission.released:
            admission.waiting = True
            self._file.add_totals(0, 1)
            if admission.counted:
                self._file.add(admission.digest, 1, 0, self._clock.monotonic())

    def release(self, admission: Admission) -> None:
        """The connection is over; may be said again."""
        if not admission.released:
            admission.released = True
            waiting = int(admission.waiting)
            self._file.add_totals(-1, -waiting)
            if admission.counted:
                self._file.add(admission.digest, -waiting, -1, self._clock.monotonic())

    def totals(self) -> tuple[int, int]:
        """Open connections, and those of them that wait for a log-in, over all workers."""
        self._file.look(self._clock.monotonic())
        return self._file.totals()

    def leave(self) -> None:
        """This worker takes no more connections: others are not to hand any on to it."""
        self._file.leave()

    def open_by_worker(self) -> dict[int, int]:
        """Open connections of this worker, and of each other that lives and is not about to leave."""
        self._file.look(self._clock.monotonic())
        return self._file.open_by_worker()

    def open_session(self, account_id: int, address: str) -> UserSession | Refusal:
        """Count an IMAP session for its account, or say why it cannot be."""
        if address in self._uncounted:
            return UserSession(())
        file, limits, now = self._file, self._limits, self._clock.monotonic()
        file.look(now)
        of_account = file.digest(f"account {account_id}")
        of_both = file.digest(f"account {account_id} {network_of(address)}")
        if file.sums(of_account)[1] >= limits.imap_sessions_per_user:
            return Refusal("imap_sessions_per_user", "too many sessions of this account")
        if file.sums(of_both)[1] >= limits.imap_sessions_per_user_address:
            return Refusal(
                "imap_sessions_per_user_address", "too many sessions of this account from your address"
            )
        return UserSession(tuple(d for d in (of_account, of_both) if file.add(d, 0, 1, now)))

    def close_session(self, session: UserSession) -> None:
        """The session is over; may be said again."""
        if not session.released:
            session.released = True
            for digest in session.digests:
                self._file.add(digest, 0, -1, self._clock.monotonic())

    def names_too_many(self, address: str, domain: str, most: int) -> bool:
        """Count a recipient that a peer names at a domain, unless it has named `most` within a minute."""
        if address in self._uncounted:
            return False
        file, now = self._file, self._clock.monotonic()
        file.look(now)
        digest = file.digest(f"recipient {network_of(address)} {domain}")
        if file.rate(digest, now, MINUTE) >= most:
            return True
        file.count(digest, now, MINUTE)
        return False

    def unknown_recipient(self, address: str) -> None:
        """Count a recipient that a peer asked for in vain."""
        if address in self._uncounted:
            return
        self._file.count(self._file.digest(_unknown_at(address)), self._clock.monotonic(), DAY)

    def harvests(self, address: str) -> bool:
        """Whether a peer has asked for more unknown recipients in a day than is honest."""
        file, now = self._file, self._clock.monotonic()
        file.look(now)
        digest = file.digest(_unknown_at(address))
        return bool(file.rate(digest, now, DAY) >= self._limits.unknown_recipients_day)

    def close(self) -> None:
        """Give up this worker's counts."""
        self._file.close()


@lru_cache(maxsize=1024)  # asked for each recipient of a peer
def _unknown_at(address: str) -> str:
    return f"unknown {network_of(address)}"
