"""The settings file from the command line."""

import json
from pathlib import Path

from postroad.config.load import load
from tests.unit.cli.conftest import Shell


def test_the_example_is_a_settings_file(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(shell.ok("config", "example"))
    assert load(file).hostname == "mail.example.org"
    assert "no mistakes" in shell.ok("config", "check", str(file))


def test_what_show_prints_is_a_settings_file(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(shell.ok("config", "show"))
    assert load(file).data == shell.data


def test_every_mistake_is_a_line_and_the_status_is_78(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('hostnam = "x"\n\n[limits]\nrecipients = "many"\n')
    ran = shell("config", "check", "--config", str(file))
    assert ran.status == 78
    assert ran.err == (
        f'postroad: {file}:1: hostnam: there is no such setting; did you mean "hostname"?\n'
        f"postroad: {file}:4: limits.recipients: must be a whole number, 1 or more, without quotes\n"
    )
    assert shell("account", "list", "--config", str(file)).status == 78
    assert shell("serve", "--config", str(file)).status == 78
    ran = shell("config", "check", "--config", str(file), "--json")
    assert [mistake["line"] for mistake in json.loads(ran.out)] == [1, 4]


def test_files_that_are_named_have_to_be_there(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('[tls]\ncertificate = "c.pem"\nkey = "k.pem"\n')
    ran = shell("config", "check", str(file))
    assert ran.status == 78
    assert f"tls.certificate: {tmp_path}/c.pem: No such file or directory" in ran.err
