"""Domains, accounts and aliases from the command line."""

import json

import pytest

from postroad.cli.database import ask
from postroad.cli.here import Here
from postroad.directory import changes, credentials
from postroad.directory.credentials import Hasher
from tests.unit.cli.conftest import Shell


def test_domains_are_added_listed_shown_and_removed(shell: Shell) -> None:
    assert shell.ok("domain", "list") == "No domains yet.\nNext    postroad domain add example.org\n"
    assert "Next    postroad account add someone@example.org" in shell.ok("domain", "add", "Example.ORG")
    shell.ok("domain", "add", "bücher.example")
    assert json.loads(shell.ok("domain", "list", "--json"))[1]["unicode"] == "bücher.example"
    table = shell.ok("domain", "list").split("\n")
    assert table[0].split() == ["DOMAIN", "ACCOUNTS", "ALIASES", "SINCE"]
    assert "in the DNS  xn--bcher-kva.example" in shell.ok("domain", "show", "bücher.example")
    shell.ok("domain", "remove", "xn--bcher-kva.example")
    assert len(json.loads(shell.ok("domain", "list", "--json"))) == 1


def test_accounts_are_added_listed_shown_and_removed(populated: Shell) -> None:
    ada, bob = json.loads(populated.ok("account", "list", "--json"))
    assert (ada["address"], ada["name"], ada["can_log_in"]) == ("ada@example.org", "Ada", True)
    assert (bob["address"], bob["can_log_in"]) == ("bob@example.org", False)
    assert "no password" in populated.ok("account", "list", "example.org")
    populated.ok("alias", "add", "info@example.org", "ada@example.org")
    assert "aliases   info@example.org" in populated.ok("account", "show", "ada@example.org")
    ran = populated("account", "remove", "ada@example.org")
    assert ran.status == 1
    assert ran.err == (
        "postroad: mail to info@example.org goes to ada@example.org; --with-aliases takes it off them\n"
    )
    populated.ok("account", "remove", "ada@example.org", "--with-aliases")
    assert [a["address"] for a in json.loads(populated.ok("account", "list", "--json"))] == [bob["address"]]


def test_passwords_come_from_standard_input_and_are_kept_as_hashes(populated: Shell) -> None:
    def stored() -> credentials.Credential:
        found = ask(Here(), lambda reader: credentials.credential(reader, 1))
        assert found is not None
        return found

    first = stored()
    assert Hasher().verify(first.hash, "correct horse")
    populated.ok("account", "passwd", "ada@example.org", stdin="battery staple\n")
    assert Hasher().verify(stored().hash, "battery staple")
    assert stored().version != first.version


@pytest.mark.parametrize(
    ("stdin", "status", "said"),
    [("", 2, "no password came"), ("\n", 2, "no password came"), ("short\n", 1, "fewer than 8 characters")],
)
def test_a_password_that_cannot_be_one_changes_nothing(
    shell: Shell, stdin: str, status: int, said: str
) -> None:
    shell.ok("domain", "add", "example.org")
    ran = shell("account", "add", "ada@example.org", stdin=stdin)
    assert ran.status == status
    assert said in ran.err
    assert json.loads(shell.ok("account", "list", "--json")) == []


def test_an_account_that_cannot_be_is_refused_before_the_password_is_asked_for(populated: Shell) -> None:
    assert populated("account", "add", "eve@elsewhere.test").err == (
        "postroad: elsewhere.test is not a domain of this server;"
        " add it first: postroad domain add elsewhere.test\n"
    )
    assert "there is an account ADA@example.org already" in populated("account", "add", "ADA@example.org").err
    assert "is not an address" in populated("account", "add", "nonsense").err


def test_quotas_are_set_one_by_one_and_lifted(populated: Shell) -> None:
    def quota() -> tuple[int | None, int | None]:
        facts = json.loads(populated.ok("account", "quota", "ada@example.org", "--json"))
        return facts["quota_bytes"], facts["quota_messages"]

    assert quota() == (None, None)
    assert "0 B of 2.0 GiB" in populated.ok("account", "quota", "ada@example.org", "2 GiB")
    populated.ok("account", "quota", "ada@example.org", "--messages", "100")
    assert quota() == (2 * 2**30, 100)
    populated.ok("account", "quota", "ada@example.org", "none")
    assert quota() == (None, 100)
    ran = populated("account", "quota", "ada@example.org", "lots")
    assert ran.status == 2
    assert '"lots" is not a size' in ran.err


def test_suspending_and_resuming(populated: Shell) -> None:
    populated.ok("account", "suspend", "ada@example.org")
    assert "suspended" in populated.ok("account", "show", "ada@example.org")
    populated.ok("account", "resume", "ada@example.org")
    assert json.loads(populated.ok("account", "show", "ada@example.org", "--json"))["suspended"] is False


def test_aliases_have_several_targets_here_and_elsewhere(populated: Shell) -> None:
    populated.ok("alias", "add", "info@example.org", "ada@example.org", "x@elsewhere.test")
    assert json.loads(populated.ok("alias", "list", "--json")) == [
        {"source": "info@example.org", "targets": ["ada@example.org", "x@elsewhere.test"]}
    ]
    populated.ok("alias", "remove", "info@example.org", "x@elsewhere.test")
    assert populated.ok("alias", "show", "info@example.org").split() == [
        "info@example.org",
        "GOES",
        "TO",
        "ada@example.org",
    ]
    ran = populated("alias", "add", "ada@example.org", "bob@example.org")
    assert ran.status == 1
    assert "--shadow" in ran.err
    ran = populated("alias", "add", "loop@example.org", "loop@example.org")
    assert ran.err == "postroad: loop@example.org cannot lead to itself\n"


def test_a_catch_all_is_set_replaced_and_taken_away(populated: Shell) -> None:
    populated.ok("domain", "catch-all", "example.org", "ada@example.org")
    populated.ok("domain", "catch-all", "example.org", "bob@example.org")
    facts = json.loads(populated.ok("domain", "show", "example.org", "--json"))
    assert facts["catch_all"] == ["bob@example.org"]
    populated.ok("domain", "catch-all", "example.org", "--off")
    assert "none: unknown addresses are refused" in populated.ok("domain", "show", "example.org")
    assert populated("domain", "catch-all", "example.org").status == 2
    assert populated("domain", "catch-all", "example.org", "--off").status == 1


def test_a_domain_with_contents_is_not_removed_by_accident(populated: Shell) -> None:
    ran = populated("domain", "remove", "example.org")
    assert ran.status == 1
    assert ran.err == (
        "postroad: example.org still has 2 accounts; --with-contents removes them too, mail included\n"
    )
    populated.ok("domain", "remove", "example.org", "--with-contents")
    assert json.loads(populated.ok("account", "list", "--json")) == []


def test_changes_are_recorded_with_who_made_them(populated: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "grace")
    populated.ok("account", "suspend", "ada@example.org")
    (last, *_) = ask(Here(), lambda reader: changes.history(reader, "ada@example.org"))
    assert (last.who, last.new) == ("grace", {"suspended": True})


def test_quiet_and_json_leave_out_what_is_for_people(shell: Shell) -> None:
    assert shell.ok("domain", "add", "example.org", "-q") == ""
    assert json.loads(shell.ok("domain", "add", "example.com", "--json"))["name"] == "example.com"


def test_the_directory_is_saved_in_a_file(populated: Shell) -> None:
    saved = json.loads((populated.data / "directory.json").read_bytes())
    assert [account["address"] for account in saved["accounts"]] == ["ada@example.org", "bob@example.org"]


def test_a_domain_is_bounded_and_unbounded(populated: Shell) -> None:
    assert "used      0 B of 20.0 GiB" in populated.ok("domain", "quota", "example.org", "20 GiB")
    populated.ok("domain", "quota", "example.org", "--messages", "1000")
    shown = json.loads(populated.ok("domain", "show", "example.org", "--json"))
    assert (shown["quota_bytes"], shown["quota_messages"], shown["messages_used"]) == (20 * 2**30, 1000, 0)
    populated.ok("domain", "quota", "example.org", "none", "--messages", "none")
    assert json.loads(populated.ok("domain", "quota", "example.org", "--json"))["quota_bytes"] is None
    assert populated("domain", "quota", "none.example", "1 GiB").status == 1
