"""What DMARC said of mail, counted day by day for the reports to its domains (RFC 9990).

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
from postroad.delivery.sender_auth.decide import Decision
from postroad.delivery.sender_auth.judgement import Judgement
from postroad.mailauth.dmarc.record import DmarcRecord
from postroad.mailauth.dmarc.report.values import Checked, Published, Reason, Row
from postroad.model.address import Address
from postroad.model.clock import Clock
from postroad.model.refusal import Unavailable
from postroad.obs.log import log

MOST: Final = 2_000
"""Different results that one worker holds before it writes them at once: strangers decide how many come."""
PER_DOMAIN: Final = 2_000
"""Different results of one domain and day that are kept."""


class Wanted(Struct, frozen=True):
    """A policy that wants reports."""

    published: Published
    reports: tuple[str, ...]
    """Addresses, as rua= has them."""


class _Key(Struct, frozen=True):
    day: str
    domain: str
    wanted: Wanted
    row: Row


class DmarcResults:
    """The counts of one worker."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._counts: Counter[_Key] = Counter()

    async def note(self, judged: Judgement, decision: Decision, sender: Address | None) -> None:
        """Count a message, if its domain wants to hear of it."""
        record, dmarc = judged.dmarc.record, judged.dmarc
        if record is None or not record.reports or dmarc.verdict not in ("pass", "fail"):
            return
        day = datetime.fromtimestamp(self._clock.now(), UTC).date().isoformat()
        wanted = Wanted(_published(dmarc.holder, record), tuple(map(str, record.reports)))
        self._counts[_Key(day, dmarc.holder, wanted, _row(judged, decision, sender))] += 1
        if len(self._counts) >= MOST:
            await self.flush()

    async def flush(self) -> None:
        """Write what has been counted; it stays counted where that fails and there is room."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            await self._database.write(lambda tx: _write(tx, counts))
        except Unavailable as error:
            log.warning("dmarc.not_counted", error=str(error))
            if len(self._counts) < MOST:
                self._counts = counts + self._counts


def _published(holder: str, record: DmarcRecord) -> Published:
    return Published(
        holder,
        record.policy,
        record.subdomains or "",
        record.nonexistent or "",
        "s" if record.strict_dkim else "r",
        "s" if record.strict_spf else "r",
        "y" if record.testing else "n",
        record.failure_options,
    )


def _row(judged: Judgement, decision: Decision, sender: Address | None) -> Row:
    dmarc, passed = judged.dmarc, judged.dmarc.verdict == "pass"
    reasons = []
    if decision.override and not passed:
        reasons.append(Reason(decision.override))
    if not passed and dmarc.policy != dmarc.published:
        reasons.append(Reason("policy_test_mode"))
    signatures = sorted(judged.dkim.results, key=lambda one: one.result.value != "pass")
    return Row(
        judged.iprev.address,
        "pass" if passed and dmarc.policy != "none" else decision.disposition,
        "pass" if dmarc.dkim else "fail",
        "pass" if dmarc.spf else "fail",
        dmarc.domain,
        sender.domain if sender else "",
        tuple(reasons),
        tuple([Checked(one.domain, one.result.value, one.selector) for one in signatures if one.domain]),
        (Checked(judged.spf.domain, judged.spf.verdict),) if judged.spf.domain else (),
    )


def _write(tx: Transaction, counts: Counter[_Key]) -> None:
    for key, count in counts.items():
        policy = msgspec.json.encode(key.wanted).decode()
        row = msgspec.json.encode(key.row).decode()
        tx.run(
            "UPDATE dmarc_result SET messages = messages + ?"
            " WHERE domain = ? AND day = ? AND policy = ? AND row = ?",
            *(count, key.domain, key.day, policy, row),
        )
        if not tx.changes():
            tx.run(
                "INSERT INTO dmarc_result (domain, day, policy, row, messages) SELECT ?1, ?2, ?3, ?4, ?5"
                " WHERE (SELECT count(*) FROM dmarc_result WHERE domain = ?1 AND day = ?2) < ?6",
                *(key.domain, key.day, policy, row, count, PER_DOMAIN),
            )
