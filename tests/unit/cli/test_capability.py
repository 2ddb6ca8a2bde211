"""`postroad account capability`."""

import msgspec

from postroad.directory.changes import history
from postroad.store.offline import open_offline
from tests.unit.cli.conftest import Shell

ADA = "ada@example.org"


def test_they_are_shown_switched_off_and_back_on(populated: Shell) -> None:
    shell = populated
    assert "Nothing is switched off" in shell.ok("account", "capability", ADA)
    said = shell.ok("account", "capability", ADA, "off", "condstore", "POP3:UIDL")
    assert "CONDSTORE POP3:UIDL" in said
    assert "QRESYNC" in said
    shell.ok("account", "capability", ADA, "off", "MOVE")
    facts = msgspec.json.decode(shell.ok("account", "capability", ADA, "--json"))
    assert facts == {
        "address": ADA,
        "switched_off": ["CONDSTORE", "MOVE", "POP3:UIDL"],
        "without_them": ["IMAP4rev2", "QRESYNC"],
    }
    assert "CONDSTORE MOVE POP3:UIDL" in shell.ok("account", "show", ADA)
    shell.ok("account", "capability", ADA, "on", "MOVE", "CONDSTORE", "POP3:UIDL")
    assert msgspec.json.decode(shell.ok("account", "show", ADA, "--json"))["switched_off"] == []
    with open_offline(shell.data) as database:
        last = database.read(lambda reader: history(reader, ADA, 1))[0]
    assert (last.old, last.new) == (
        {"switched_off": ["CONDSTORE", "MOVE", "POP3:UIDL"]},
        {"switched_off": []},
    )


def test_they_come_back_with_a_removed_account(populated: Shell) -> None:
    shell = populated
    shell.ok("account", "capability", ADA, "off", "MOVE")
    shell.ok("account", "remove", ADA)
    shell.ok("account", "restore", ADA)
    assert "MOVE" in shell.ok("account", "capability", ADA)


def test_mistakes_are_told(populated: Shell) -> None:
    ran = populated("account", "capability", ADA, "off", "MOVE", "CONSTORE")
    assert ran.status == 1
    assert 'did you mean "CONDSTORE"' in ran.err
    assert "Nothing" in populated.ok("account", "capability", ADA)
    assert populated("account", "capability", ADA, "off").status == 2
    assert populated("account", "capability", "nobody@example.org").status == 1
