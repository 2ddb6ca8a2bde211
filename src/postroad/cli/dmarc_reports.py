"""What other servers report of mail in our name, put into words for `postroad report dmarc`."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import Struct

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
_DONE_WITH: Final = {"delivered": "taken", "spam": "junk", "policy": "refused", "reject": "refused"}
_DONE: Final = {"none": "taken", "pass": "taken", "quarantine": "junk", "reject": "refused"}


class Single(Struct, frozen=True):
    """A report about a message by itself (RFC 9991)."""

    at: float
    by: str
    source: str
    sender: str
    failed: list[str]
    unaligned: list[str]
    result: str
    messages: int


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
    singles: list[Single] = field(default_factory=list)
    """Reports about single messages, the newest first."""


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
    for domain, author, single in _singles(reader, name, since):
        one = found.setdefault(domain, Reported(domain))
        if author:
            one.singles.append(single)
        else:
            one.doubtful += single.messages
    return [found[name] for name in sorted(found)]


def _singles(reader: Reader, name: str | None, since: float) -> Iterator[tuple[str, str, Single]]:
    columns = "domain, author, at, source, sender, failed, unaligned, result, incidents"
    for domain, author, at, source, sender, failed, unaligned, result, messages in sorted(
        rows_since(reader, "dmarc_failure_in", columns, name, since), key=lambda row: -row[2]
    ):
        words = failed.split(), unaligned.split()
        yield domain, author, Single(at, author, source, sender, *words, result, messages)


def conclusion(one: Reported, days: int) -> str:
    """The first sentence says how it is."""
    name, messages = unicode_domain(one.name), one.passed + one.failed
    period = f"in the last {counted(days, 'day')}"
    aside = _of_singles(one) + left_out(one.doubtful, "message")
    if not one.reporters and one.singles:
        return f"{name}: nobody has summed up mail in its name {period}.{aside}"
    if not one.reporters:
        return f"{name}: nothing that can be believed was reported {period}.{aside}"
    said = f"say {counted(len(one.reporters), 'receiver')}, the last on {date(one.latest)}"
    if not one.failed:
        return f"{name}: all {counted(messages, 'message')} in its name passed {period}, {said}.{aside}"
    return (
        f"{name}: {one.failed} of {counted(messages, 'message')} in its name failed {period}, {said}. "
        f"Those that you sent need SPF or DKIM; the rest is somebody else's.{aside}"
    )


def _of_singles(one: Reported) -> str:
    """A sentence about what was reported message by message."""
    if not one.singles:
        return ""
    last = one.singles[0]
    count = sum(single.messages for single in one.singles)
    were = "was" if count == 1 else "were"
    where = f" from {last.source}" if last.source else ""
    which = f"{counted(count, 'message')} that failed {were} reported singly"
    return f" {which}, the last{where} on {date(last.at)}."


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
    ] + [
        (
            single.messages,
            single.source or "–",
            _failed(single, "spf", "spf"),
            _failed(single, "dkim", "signature", "bodyhash", "revoked"),
            _DONE_WITH.get(single.result, single.result or "–"),
            single.by,
        )
        for single in one.singles[:SHOWN]
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
        "singles": [msgspec.to_builtins(single) for single in one.singles],
    }


def _failed(single: Single, identifier: str, *failures: str) -> str:
    """What a report about one message says of SPF or DKIM."""
    if not set(failures).isdisjoint(single.failed):
        return "failed"
    return "not aligned" if identifier in single.unaligned else "–"


def _checks(checks: tuple[Checked, ...]) -> str:
    return ", ".join(f"{one.result} {one.domain}" for one in checks) or "none"
