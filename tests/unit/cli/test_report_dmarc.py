"""`postroad report dmarc`: the conclusion comes first."""

from typing import Any

import msgspec
from msgspec.structs import replace

from postroad.db.transaction import Transaction
from postroad.delivery.dmarc_received import keep_report
from postroad.delivery.failures_received import keep_failure
from postroad.mailauth.dmarc.report.failure import Failure
from postroad.mailauth.dmarc.report.values import Published, Report, Row
from postroad.store.offline import open_offline
from tests.unit.cli.conftest import Shell
from tests.unit.mailauth.dmarc.test_report import ROW

GOOD = Row("192.0.2.9", "none", "pass", "fail", "x.test")


def reported(shell: Shell, author: str, *rows: tuple[Row, int], number: str = "1") -> None:
    """A report about x.test has come in."""
    report = Report("ours", "d@r.test", number, 0, 86399, Published("x.test", "reject"), rows)

    def keep(tx: Transaction) -> None:
        assert keep_report(tx, report, author)

    with open_offline(shell.data) as database:
        database.write(keep)


def test_without_reports_there_is_nothing_to_tell(shell: Shell) -> None:
    shell.ok("domain", "add", "x.test")
    assert shell.ok("report", "dmarc") == "Nobody has reported anything in the last 7 days.\n"
    assert shell.ok("report", "dmarc", "x.test").endswith("about x.test in the last 7 days.\n")
    assert shell("report", "dmarc", "nobody.test").status == 1


def test_the_conclusion_comes_first(shell: Shell) -> None:
    shell.ok("domain", "add", "x.test")
    reported(shell, "r.test", (ROW, 3), (GOOD, 7))
    first, heading, row = shell.ok("report", "dmarc").splitlines()
    assert first.startswith("x.test: 3 of 10 messages in its name failed in the last 7 days, say 1 receiver")
    assert heading.split() == ["MESSAGES", "FROM", "SPF", "DKIM", "DONE", "BY"]
    for word in ("3", "192.0.2.1", "softfail y.test", "refused"):
        assert word in row
    (facts,) = msgspec.json.decode(shell.ok("report", "dmarc", "--json"))
    assert (facts["passed"], facts["failed"], facts["reporters"]) == (7, 3, ["ours"])


def test_all_is_well(shell: Shell) -> None:
    shell.ok("domain", "add", "x.test")
    reported(shell, "r.test", (GOOD, 7))
    assert shell.ok("report", "dmarc").startswith("x.test: all 7 messages in its name passed")


def test_what_nobody_vouches_for_is_not_believed_and_replaces_nothing(shell: Shell) -> None:
    shell.ok("domain", "add", "x.test")
    reported(shell, "r.test", (GOOD, 7))
    reported(shell, "", (ROW, 1000))
    said = shell.ok("report", "dmarc")
    assert said.startswith("x.test: all 7 messages in its name passed")
    assert "Reports about 1000 messages are left out: nobody vouches for them." in said


def reported_singly(shell: Shell, author: str, domain: str = "x.test", **more: Any) -> None:
    """A report about a message in the name of x.test has come in."""
    failure = Failure(domain, "192.0.2.66", "<a@y.test>", ("dmarc",), ("spf",), "reject", 1)

    def keep(tx: Transaction) -> None:
        assert keep_failure(tx, replace(failure, **more), author)

    with open_offline(shell.data) as database:
        database.write(keep)


def test_what_is_reported_message_by_message_is_told_too(shell: Shell) -> None:
    shell.ok("domain", "add", "x.test")
    reported(shell, "r.test", (GOOD, 7))
    reported_singly(shell, "r.test", failed=("signature",))
    reported_singly(shell, "s.test", "sub.x.test", incidents=2)
    reported_singly(shell, "", incidents=1000)
    first, heading, *rows = shell.ok("report", "dmarc", "x.test").splitlines()
    assert first.startswith("x.test: all 7 messages in its name passed")
    assert " 3 messages that failed were reported singly, the last from 192.0.2.66 on " in first
    assert first.endswith("Reports about 1000 messages are left out: nobody vouches for them.")
    assert heading.split()[:2] == ["MESSAGES", "FROM"]
    assert [row.split() for row in sorted(rows)] == [
        ["1", "192.0.2.66", "not", "aligned", "failed", "refused", "r.test"],
        ["2", "192.0.2.66", "not", "aligned", "–", "refused", "s.test"],
    ]
    (facts,) = msgspec.json.decode(shell.ok("report", "dmarc", "--json"))
    assert [single["by"] for single in facts["singles"]] in (["s.test", "r.test"], ["r.test", "s.test"])


def test_they_may_be_all_there_is(shell: Shell) -> None:
    shell.ok("domain", "add", "x.test")
    reported_singly(shell, "r.test")
    said = shell.ok("report", "dmarc")
    assert said.startswith("x.test: nobody has summed up mail in its name in the last 7 days. 1 message that")


def test_a_report_that_comes_twice_counts_once(shell: Shell) -> None:
    shell.ok("domain", "add", "x.test")
    for _ in range(2):
        reported(shell, "r.test", (GOOD, 7))
    reported(shell, "r.test", (GOOD, 1), number="2")
    assert "all 8 messages" in shell.ok("report", "dmarc")
