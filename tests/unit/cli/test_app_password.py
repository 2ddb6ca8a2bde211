"""App passwords from the command line."""

import json
import re
from pathlib import Path

import pytest

from postroad.cli.database import ask
from postroad.cli.here import Here
from postroad.directory.app_passwords import matching
from postroad.directory.scram import stale_keys
from tests.unit.cli.conftest import Shell

ADA = "ada@example.org"


def test_they_are_made_listed_and_taken_back(populated: Shell) -> None:
    assert "postroad account app-password add" in populated.ok("account", "app-password", "list", ADA)
    said = populated.ok(
        *("account", "app-password", "add", ADA, "phone", "--for", "imap", "--for", "smtp"),
        *("--expires", "90 days"),
    )
    secret = said.split("\n")[0]
    assert re.fullmatch(r"([a-z2-9]{5}-){3}[a-z2-9]{5}", secret)
    assert said.split("\n")[1] == f"This opens {ADA} for imap, smtp. It is not shown again."
    found = ask(Here(), lambda reader: matching(reader, 1, secret))
    assert found is not None
    assert found.label == "phone"

    [listed] = json.loads(populated.ok("account", "app-password", "list", ADA, "--json"))
    assert (listed["label"], listed["protocols"], listed["used"]) == ("phone", ["imap", "smtp"], None)
    assert listed["expires"] - listed["created"] == pytest.approx(90 * 86400, abs=60)
    table = populated.ok("account", "app-password", "list", ADA)
    assert table.split("\n")[0].split() == ["LABEL", "FOR", "LAST", "USED", "FROM", "ENDS", "SINCE"]
    assert secret not in table
    assert secret not in (populated.data / "directory.json").read_text()

    populated.ok("account", "app-password", "remove", ADA, "phone")
    assert json.loads(populated.ok("account", "app-password", "list", ADA, "--json")) == []
    ran = populated("account", "app-password", "remove", ADA, "phone")
    assert (ran.status, ran.err) == (1, f'postroad: {ADA} has no app password "phone"\n')


def test_the_secret_is_shown_once(populated: Shell) -> None:
    made = json.loads(populated.ok("account", "app-password", "add", ADA, "desk", "--json"))
    assert len(made["secret"]) == 23
    assert made["protocols"] == ["imap", "pop3", "smtp", "jmap", "sieve", "dav"]
    assert "secret" not in populated.ok("account", "app-password", "list", ADA, "--json")


def test_an_account_is_shut_to_its_password(populated: Shell) -> None:
    populated.ok("account", "app-password", "only", ADA)
    ada, _ = json.loads(populated.ok("account", "list", "--json"))
    assert (ada["app_passwords_only"], ada["app_passwords"], ada["can_log_in"]) == (True, 0, False)
    populated.ok("account", "app-password", "add", ADA, "phone")
    assert "app passwords only" in populated.ok("account", "list")
    populated.ok("account", "app-password", "only", ADA, "--off")
    ada, _ = json.loads(populated.ok("account", "list", "--json"))
    assert (ada["app_passwords_only"], ada["app_passwords"], ada["can_log_in"]) == (False, 1, True)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("add", ADA, "phone", "--for", "ftp"), 2, "'ftp' is not one of"),
        (("add", ADA, "phone", "--expires", "soon"), 2, "soon"),
        (("add", ADA, "phone", "--expires", "0"), 2, "must be more than nothing"),
        (("add", ADA, ""), 1, "a label has from 1 to 60 characters"),
        (("add", "eve@example.org", "phone"), 1, "there is no account eve@example.org"),
        (("only", "eve@example.org"), 1, "there is no account eve@example.org"),
    ],
)
def test_what_cannot_be(populated: Shell, words: tuple[str, ...], status: int, said: str) -> None:
    ran = populated("account", "app-password", *words)
    assert ran.status == status
    assert said in ran.err


def test_settings_bound_their_number_and_want_scram_keys(populated: Shell, tmp_path: Path) -> None:
    settings = tmp_path / "postroad.toml"
    settings.write_text(
        f'data = "{populated.data}"\n[auth]\nscram_iterations = 4096\n[limits]\napp_passwords = 1\n'
    )
    config = ("--config", str(settings))
    populated.ok("account", "passwd", ADA, *config, stdin="battery staple\n")
    populated.ok("account", "app-password", "add", ADA, "phone", *config)
    assert ask(Here(), lambda reader: stale_keys(reader, ADA, 1, 4096)) is None
    labels = ask(Here(), lambda reader: reader.rows("SELECT hash, label FROM scram_key ORDER BY 1, 2"))
    assert labels == [("SHA-1", ""), ("SHA-1", "phone"), ("SHA-256", ""), ("SHA-256", "phone")]
    assert json.loads(populated.ok("account", "show", ADA, "--json"))["scram"] is True
    ran = populated("account", "app-password", "add", ADA, "desk", *config)
    assert (ran.status, ran.err) == (
        1,
        f"postroad: {ADA} has 1 app passwords already (limits.app_passwords)\n",
    )
