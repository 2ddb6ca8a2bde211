"""`postroad report tls`: the conclusion comes first."""

import msgspec

from postroad.db.transaction import Transaction
from postroad.delivery.tls_received import keep_report
from postroad.mailauth.tlsrpt import read_report
from postroad.store.offline import open_offline
from tests.unit.cli.conftest import Shell
from tests.unit.mailauth.test_tlsrpt import VECTORS


def reported(shell: Shell, author: str = "reporter.test") -> None:
    """A report about company-y.example has come in."""
    if "company-y.example" not in shell.ok("domain", "list"):
        shell.ok("domain", "add", "company-y.example")
    report = read_report((VECTORS / "rpt01.json").read_bytes())

    def keep(tx: Transaction) -> None:
        assert set(keep_report(tx, report, author)) == {"company-y.example"}

    with open_offline(shell.data) as database:
        database.write(keep)


def test_without_reports_there_is_nothing_to_tell(shell: Shell) -> None:
    assert shell.ok("report", "tls") == "Nobody has reported anything in the last 7 days.\n"
    assert msgspec.json.decode(shell.ok("report", "tls", "--json")) == []


def test_the_conclusion_comes_first(shell: Shell) -> None:
    reported(shell)
    first, heading, *rows = shell.ok("report", "tls").splitlines()
    assert first.startswith("company-y.example: 303 of 5629 sessions failed in the last 7 days, say 1 ")
    assert heading.split() == ["SESSIONS", "WHY", "SERVER", "BY"]
    assert any("our certificate had expired" in row for row in rows)


def test_what_nobody_vouches_for_is_left_out_and_replaces_nothing(shell: Shell) -> None:
    reported(shell, author="")
    assert shell.ok("report", "tls") == (
        "company-y.example: nothing that can be believed was reported in the last 7 days."
        " Reports about 5629 sessions are left out: nobody vouches for them.\n"
    )
    reported(shell)
    said = shell.ok("report", "tls")
    assert "303 of 5629 sessions failed" in said
    assert "5629 sessions are left out" in said


def test_one_domain_may_be_named(shell: Shell) -> None:
    reported(shell)
    shell.ok("domain", "add", "other.test")
    said = shell.ok("report", "tls", "other.test")
    assert said == "Nobody has reported anything about other.test in the last 7 days.\n"
    (facts,) = msgspec.json.decode(shell.ok("report", "tls", "Company-Y.example", "--json"))
    assert (facts["successes"], facts["failures"]) == (5326, 303)
    assert shell("report", "tls", "nobody.test").status == 1
