"""Keys and records from the command line."""

import json
import stat

from tests.unit.cli.conftest import Shell


def test_a_new_domain_has_keys_that_wait(shell: Shell) -> None:
    assert "postroad domain dns example.org" in shell.ok("domain", "add", "example.org")
    found = json.loads(shell.ok("dkim", "list", "--json"))
    assert [(one["algorithm"], one["state"]) for one in found] == [("ed25519", "waiting"), ("rsa", "waiting")]
    assert "not seen yet" in shell.ok("dkim", "list", "example.org")
    assert stat.S_IMODE((shell.data / "seal.key").stat().st_mode) == 0o600
    ran = shell("dkim", "rotate", "example.org")
    assert ran.status == 1
    assert "already waits for the DNS to show it; postroad domain dns example.org --check" in ran.err


def test_the_status_names_domains_that_do_not_sign(populated: Shell) -> None:
    screen = populated("status").out
    assert "mail of example.org is not signed: the DNS shows no key" in screen
    assert "what to publish: postroad domain dns example.org" in screen


def test_records_are_printed(shell: Shell) -> None:
    shell.ok("domain", "add", "bücher.example")
    zone = shell.ok("domain", "dns", "bücher.example", "--format", "zone").split("\n")
    assert any(line.startswith("xn--bcher-kva.example. IN MX 10 ") for line in zone)
    assert 'xn--bcher-kva.example. IN TXT "v=spf1 mx ~all"' in zone
    assert sum("._domainkey.xn--bcher-kva.example. IN TXT" in line for line in zone) == 2
    as_json = json.loads(shell.ok("domain", "dns", "bücher.example", "--format", "json"))
    assert [one["purpose"] for one in as_json][:5] == ["MX", "SPF", "HELO", "DKIM", "DKIM"]
    table = shell.ok("domain", "dns", "bücher.example")
    assert "mode: testing" in table
    assert "Next    postroad domain dns xn--bcher-kva.example --check" in table


def test_a_domain_of_an_earlier_postroad_has_no_keys_yet(populated: Shell) -> None:
    assert "Make them: postroad dkim rotate example.org" in populated.ok("domain", "dns", "example.org")
    assert populated.ok("dkim", "list") == "No keys yet; they are made with a domain.\n"
    assert populated.ok("dkim", "rotate", "example.org").count("it signs once the DNS shows it") == 2


def test_a_key_is_retired(populated: Shell) -> None:
    populated.ok("dkim", "rotate", "example.org")
    selector = json.loads(populated.ok("dkim", "list", "--json"))[0]["selector"]
    assert "private half is erased" in populated.ok("dkim", "retire", "example.org", selector)
    assert json.loads(populated.ok("dkim", "list", "--json"))[0]["state"] == "retired"
    ran = populated("dkim", "retire", "example.org", "other")
    assert ran.err == "postroad: example.org has no key with the selector other\n"
