"""What became of TLS with other domains, counted day by day for their reports (RFC 8460).

Counting costs a dictionary entry; the database sees the sums now and then.
What a worker that is killed has not written yet is lost: these are statistics.
"""

from collections import Counter
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import Struct

from postroad.db.database import Database
from postroad.db.transaction import Transaction
from postroad.delivery.demands import NO_POLICY, Applied
from postroad.model.clock import Clock
from postroad.model.refusal import Unavailable
from postroad.obs.log import log

MOST: Final = 10_000
"""Different results that one worker holds; more than that are written at once."""
PER_DOMAIN: Final = 1_000
"""Different results of one domain and day that are kept."""


class Failure(Struct, frozen=True):
    """One kind of failure at one host (RFC 8460 §4.3)."""

    result: str
    host: str = ""
    address: str = ""
    source: str = ""
    """Our own address in the connection."""
    code: str = ""
    text: str = ""


class _Key(Struct, frozen=True):
    day: str
    domain: str
    applied: Applied
    failure: Failure | None


class TlsResults:
    """The counts of one worker."""

    def __init__(self, clock: Clock, *, counts: bool = True) -> None:
        """With `counts` False nothing is noted."""
        self._clock = clock
        self._on = counts
        self._counts: Counter[_Key] = Counter()

    def success(self, domain: str, applied: Applied = NO_POLICY) -> None:
        """A session came about as the policy wants it."""
        self._note(domain, applied, None)

    def failure(self, domain: str, applied: Applied, failure: Failure) -> None:
        """One did not."""
        self._note(domain, applied, failure)

    def _note(self, domain: str, applied: Applied, failure: Failure | None) -> None:
        if not self._on:
            return
        day = datetime.fromtimestamp(self._clock.now(), UTC).date().isoformat()
        key = _Key(day, domain, applied, failure)
        if key in self._counts or len(self._counts) < MOST:
            self._counts[key] += 1

    async def flush(self, database: Database) -> None:
        """Write what has been counted; it stays counted where that fails."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            await database.write(lambda tx: _write(tx, counts))
        except Unavailable as error:
            log.warning("tlsrpt.not_counted", error=str(error))
            self._counts = counts + self._counts


def _write(tx: Transaction, counts: Counter[_Key]) -> None:
    for key, count in counts.items():
        applied = msgspec.json.encode(key.applied).decode()
        failure = "" if key.failure is None else msgspec.json.encode(key.failure).decode()
        tx.run(
            "UPDATE tls_result SET sessions = sessions + ?"
            " WHERE domain = ? AND day = ? AND policy = ? AND failure = ?",
            *(count, key.domain, key.day, applied, failure),
        )
        if not tx.changes():
            tx.run(
                "INSERT INTO tls_result (domain, day, policy, failure, sessions) SELECT ?1, ?2, ?3, ?4, ?5"
                " WHERE (SELECT count(*) FROM tls_result WHERE domain = ?1 AND day = ?2) < ?6",
                *(key.domain, key.day, applied, failure, count, PER_DOMAIN),
            )
