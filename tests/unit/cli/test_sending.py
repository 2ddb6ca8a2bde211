"""`postroad account sending`."""

import msgspec

from postroad.directory import snapshot
from tests.unit.cli.conftest import Shell


def test_limits_are_shown_set_and_taken_back(populated: Shell) -> None:
    shell, ada = populated, "ada@example.org"
    assert "any number may be" in shell.ok("account", "sending", ada)
    shell.ok("account", "sending", ada, "--messages-day", "200", "--recipients-hour", "10")
    shell.ok("account", "sending", ada, "--recipients-hour", "any")
    facts = msgspec.json.decode(shell.ok("account", "sending", ada, "--json"))
    assert facts["allowed"] == {
        "messages_hour": 0,
        "messages_day": 200,
        "recipients_hour": 0,
        "recipients_day": 0,
    }
    assert "0 of 200" in shell.ok("account", "sending", ada)
    (saved,) = snapshot.load(shell.data).send_limits
    assert (saved.messages_day, saved.recipients_hour, saved.recipients_day) == (200, 0, None)
    shell.ok("account", "sending", ada, "--default")
    assert snapshot.load(shell.data).send_limits == []


def test_mistakes_are_told(populated: Shell) -> None:
    assert populated("account", "sending", "nobody@example.org").status == 1
    assert populated("account", "sending", "ada@example.org", "--messages-day", "-1").status == 2
    assert populated("account", "sending", "ada@example.org", "--default", "--messages-day", "1").status == 2
