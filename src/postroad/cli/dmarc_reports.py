"""What other servers report of mail in our name, put into words for `postroad report dmarc`."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from postroad.cli.output import Column
from postroad.cli.reported import left_out, rows_since
from postroad.cli.times import date
from postroad.db.transaction import Reader
from postroad.mailauth.dmarc.report.values import Checked, Row
from postroad.model.address import unicode_domain
from postroad.model.counted import counted

SHOWN: Final = 30
"""Sources of mail that failed, the ones with the most messages."""

COLUMNS: Final = [
    Column("MESSAGES", "right"),
    Column("FROM"),
    Column("SPF", cut=True),
    Column("DKIM", cut=True),
    Column("DONE"),
    Column("BY", cut=True),
]
_DONE: Final = {"none": "taken", "pass": "taken", "quarantine": "junk", "reject": "refused"}


@dataclass
class Reported:
    """What was reported about one domain."""

    name: str
    passed: int = 0
    failed: int = 0
    doubtful: int = 0
    """Messages in reports that nobody vouches for; not counted."""
    failures: Counter[tuple[Row, str]] = field(default_factory=Counter)
    """Messages by what was seen and who saw it."""
    reporters: set[str] = field(default_factory=set)
    latest: float = 0.0


def read(reader: Reader, name: str | None, since: float) -> list[Reported]:
    """What was reported since then, of one domain or of all, by name."""
    columns = "domain, at, organization, author, passed, failed, failures"
    rows = rows_since(reader, "dmarc_report_in", columns, name, since)
    found: dict[str, Reported] = {}
    for domain, at, organization, author, passed, failed, failures in rows:
        one = found.setdefault(domain, Reported(domain))
        if not author:
            one.doubtful += passed + failed
            continue
        one.passed += passed
        one.failed += failed
        one.reporters.add(organization or author)
        one.latest = max(one.latest, at)
        for row, count in msgspec.json.decode(failures, type=list[tuple[Row, int]]):
            one.failures[row, organization or author] += count
    return list(found.values())


def conclusion(one: Reported, days: int) -> str:
    """The first sentence says how it is."""
    name, messages = unicode_domain(one.name), one.passed + one.failed
    period = f"in the last {counted(days, 'day')}"
    aside = left_out(one.doubtful, "message")
    if not one.reporters:
        return f"{name}: nothing that can be believed was reported {period}.{aside}"
    said = f"say {counted(len(one.reporters), 'receiver')}, the last on {date(one.latest)}"
    if not one.failed:
        return f"{name}: all {counted(messages, 'message')} in its name passed {period}, {said}.{aside}"
    return (
        f"{name}: {one.failed} of {counted(messages, 'message')} in its name failed {period}, {said}. "
        f"Those that you sent need SPF or DKIM; the rest is somebody else's.{aside}"
    )


def table(one: Reported) -> list[tuple[int, str, str, str, str, str]]:
    """The sources of what failed."""
    return [
        (
            count,
            row.source or "unknown",
            _checks(row.senders),
            _checks(row.signatures),
            _DONE.get(row.disposition, row.disposition),
            by,
        )
        for (row, by), count in one.failures.most_common(SHOWN)
    ]


def facts(one: Reported) -> dict[str, Any]:
    """All of it as plain values."""
    return {
        "domain": one.name,
        "passed": one.passed,
        "failed": one.failed,
        "unvouched": one.doubtful,
        "reporters": sorted(one.reporters),
        "latest": one.latest,
        "failures": [
            {"messages": count, "by": by, **msgspec.to_builtins(row)}
            for (row, by), count in one.failures.most_common()
        ],
    }


def _checks(checks: tuple[Checked, ...]) -> str:
    return ", ".join(f"{one.result} {one.domain}" for one in checks) or "none"
