"""`postroad suppression`."""

import msgspec

from tests.unit.cli.conftest import Shell


def test_an_address_is_added_listed_and_removed(shell: Shell) -> None:
    assert shell.ok("suppression", "list") == "No address is suppressed.\n"
    said = shell.ok("suppression", "add", "Eve@Elsewhere.test", "--reason", "she asked")
    assert said == "Mail for Eve@elsewhere.test goes back at once: she asked.\n"
    assert "she asked" in shell.ok("suppression", "list")
    (facts,) = msgspec.json.decode(shell.ok("suppression", "list", "--json"))
    assert (facts["address"], facts["active"]) == ("Eve@elsewhere.test", True)
    assert shell.ok("suppression", "remove", "eve@elsewhere.test").endswith("is written to again.\n")
    ran = shell("suppression", "remove", "eve@elsewhere.test")
    assert (ran.status, "is not on the list" in ran.err) == (1, True)
    assert shell("suppression", "add", "nonsense").status == 1
