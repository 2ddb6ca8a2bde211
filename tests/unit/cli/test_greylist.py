"""`postroad greylist` and `postroad domain policy`."""

import msgspec

from postroad.config.receiving import Receiving
from postroad.directory import changes, snapshot
from postroad.directory.domain_policy import DomainPolicy
from postroad.policy import greylist
from postroad.policy.greylist import Triplet
from postroad.store.offline import open_offline
from tests.unit.cli.conftest import Shell

EVE = Triplet("192.0.2.0/24", "eve@elsewhere.test", "ada@ours.test")


def test_nobody_is_known_at_first(shell: Shell) -> None:
    assert shell.ok("greylist", "list").startswith("Nobody is known to greylisting.")


def test_allow_list_and_forget(shell: Shell) -> None:
    with open_offline(shell.data) as database:
        assert database.write(lambda tx: greylist.come(tx, EVE, Receiving())) is not None
    assert shell.ok("greylist", "allow", "198.51.100.77") == "198.51.100.0/24 never waits.\n"
    assert shell.ok("greylist", "allow", "@Bücher.test") == "xn--bcher-kva.test never waits.\n"
    listed = msgspec.json.decode(shell.ok("greylist", "list", "--json"))
    assert [one["what"] for one in listed["allowed"]] == ["198.51.100.0/24", "xn--bcher-kva.test"]
    assert [(one["sender"], one["passed"]) for one in listed["senders"]] == [(EVE.sender, False)]
    assert "waits" in shell.ok("greylist", "list")
    assert shell.ok("greylist", "forget", "elsewhere.test") == "Forgot elsewhere.test.\n"
    assert shell.ok("greylist", "forget", "elsewhere.test").startswith("Nothing was known")
    assert shell("greylist", "allow", "not a domain").status != 0


def test_a_domain_says_what_it_wants_and_it_is_kept(shell: Shell) -> None:
    shell.ok("domain", "add", "new.test")
    assert "off (default)" in shell.ok("domain", "policy", "new.test")
    said = shell.ok("domain", "policy", "new.test", "--greylisting", "on", "--helo", "refuse")
    assert "refuse\n" in said
    assert "none named (default)" in said
    shell.ok("domain", "policy", "new.test", "--helo", "default")
    found = msgspec.json.decode(shell.ok("domain", "policy", "new.test", "--json"))
    assert {key: wish for key, wish in found.items() if wish is not None} == {"greylisting": "on"}
    (saved,) = [one for one in snapshot.load(shell.data).domains if one.name == "new.test"]
    assert saved.policy == DomainPolicy(greylisting="on")
    with open_offline(shell.data) as database:
        last, before, *_ = database.read(lambda r: changes.history(r, "new.test"))
    assert last.old == before.new == {**found, "helo": "refuse"}
    assert shell("domain", "policy", "new.test", "--helo", "perhaps").status == 2
    assert shell("domain", "policy", "nowhere.test").status != 0


def test_a_domain_has_numbers_of_its_own(shell: Shell) -> None:
    shell.ok("domain", "add", "new.test")
    first = ("--tarpit", "5 s", "--recipients-minute", "20", "--lists-refuse", "4")
    then = ("--greylist-delay", "1 min", "--allow", "192.0.2.0/24, 2001:db8::7")
    said = shell.ok("domain", "policy", "new.test", *first, *then)
    for words in ("tarpit             5.0 s", "minute  20", "allow              192.0.2.0/24 2001:db8::7"):
        assert words in said
    shell.ok("domain", "policy", "new.test", "--lists-refuse", "default")
    (saved,) = [one for one in snapshot.load(shell.data).domains if one.name == "new.test"]
    allow = "192.0.2.0/24 2001:db8::7"
    assert saved.policy == DomainPolicy(greylist_delay=60.0, recipients_minute=20, tarpit=5.0, allow=allow)
    for wrong in (
        ("--allow", "anybody"),
        ("--tarpit", "5 min"),
        ("--tarpit", "a while"),
        ("--lists-refuse", "0"),
        ("--recipients-minute", "-1"),
    ):
        assert shell("domain", "policy", "new.test", *wrong).status == 2, wrong
