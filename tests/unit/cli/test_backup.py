"""`postroad backup`: from the key to the restore, and sentences that help on the way."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Shell


@pytest.fixture
def vault(populated: Shell, tmp_path: Path) -> Shell:
    """A server with accounts, a key and a place for backups."""
    (tmp_path / "target").mkdir()
    populated.ok("backup", "key", "mine.key")
    return populated


def made(vault: Shell, *words: str) -> Any:
    return json.loads(vault.ok("backup", "create", "--target", "target", "--json", *words))


def test_a_key_has_two_halves_and_says_where_they_are(populated: Shell, tmp_path: Path) -> None:
    said = populated.ok("backup", "key", "mine.key")
    assert "your half is mine.key" in said
    assert str(populated.data / "backup.key") in said
    for path in (tmp_path / "mine.key", populated.data / "backup.key"):
        assert path.stat().st_mode & 0o777 == 0o600
        secret = path.read_text().split()[-1]
        assert secret not in said


def test_a_second_key_needs_the_first_to_be_moved_away(vault: Shell, tmp_path: Path) -> None:
    before = (vault.data / "backup.key").read_bytes()
    ran = vault("backup", "key", "other.key")
    assert (ran.status, ran.out) == (1, "")
    assert "move it away first" in ran.err
    assert not (tmp_path / "other.key").exists()
    assert (vault.data / "backup.key").read_bytes() == before


def test_a_server_gets_its_half_again(vault: Shell) -> None:
    before = (vault.data / "backup.key").read_bytes()
    (vault.data / "backup.key").unlink()
    vault.ok("backup", "key", "--again", "mine.key")
    assert (vault.data / "backup.key").read_bytes() == before


def test_without_a_key_it_is_said_how_to_make_one(populated: Shell, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    ran = populated("backup", "create", "--target", "target")
    assert ran.status == 1
    assert "make one with postroad backup key" in ran.err


def test_without_a_place_it_is_said_where_it_belongs(vault: Shell) -> None:
    ran = vault("backup", "create")
    assert ran.status == 2
    assert "--target or backup.target" in ran.err


def test_a_place_in_the_data_directory_is_no_place(vault: Shell) -> None:
    ran = vault("backup", "create", "--target", str(vault.data / "packs"))
    assert ran.status == 1
    assert "would be lost with it" in ran.err


def test_create_list_verify_restore(vault: Shell, tmp_path: Path) -> None:
    said = vault.ok("backup", "create", "--target", "target")
    (backup_id,) = re.findall(r"\d{8}T\d{9}Z-\w{4}", said)
    assert "messages of" in said
    assert "were new there" in said
    assert backup_id in vault.ok("backup", "list", "--target", "target")
    assert "every chunk is there" in vault.ok("backup", "verify", "--quick", "--target", "target")
    assert "came back as before" in vault.ok("backup", "verify", "--key", "mine.key", "--target", "target")
    said = vault.ok(
        *("backup", "restore", "--key", "mine.key", "--target", "target", "--data", str(tmp_path / "new"))
    )
    assert "is as it was at" in said
    assert vault.ok("account", "list", "--data", str(tmp_path / "new")) == vault.ok("account", "list")


def test_nothing_changed_is_said_in_numbers(vault: Shell) -> None:
    first, second = made(vault), made(vault)
    assert second["added_chunks"] == 0
    assert first["inventory"]["digest"] == second["inventory"]["digest"]


def test_older_ones_are_removed_when_the_new_one_is_there(vault: Shell) -> None:
    first = made(vault)["id"]
    second = made(vault)["id"]
    third = made(vault, "--keep", "2")
    assert third["removed"] == [first]
    listed = json.loads(vault.ok("backup", "list", "--target", "target", "--json"))
    assert [one["id"] for one in listed] == [second, third["id"]]
    said = json.loads(vault.ok("backup", "prune", "--keep", "1", "--target", "target", "--json"))
    assert said["removed"] == [second]


def test_another_key_is_told_from_damage(vault: Shell, tmp_path: Path) -> None:
    made(vault)
    (vault.data / "backup.key").rename(tmp_path / "away.key")
    vault.ok("backup", "key", "other.key")
    ran = vault("backup", "verify", "--key", "other.key", "--target", "target")
    assert ran.status == 1
    assert "give the file that postroad backup key made then" in ran.err
    ran = vault("backup", "list", "--target", "target")
    assert ran.status == 1
    assert "was made with the key" in ran.out


def test_the_servers_half_restores_nothing(vault: Shell) -> None:
    made(vault)
    ran = vault("backup", "verify", "--key", str(vault.data / "backup.key"), "--target", "target")
    assert ran.status == 1
    assert "takes the operator's half" in ran.err


def test_damage_is_named_with_its_chunk(vault: Shell, tmp_path: Path) -> None:
    made(vault)
    chunk = next((tmp_path / "target" / "chunks").glob("*/*"))
    chunk.write_bytes(b"rotten")
    for how in (("--quick",), ("--key", "mine.key")):
        ran = vault("backup", "verify", "--target", "target", *how)
        assert ran.status == 1
        assert chunk.name in ran.out
        assert "backup create --anew" in ran.out
    made(vault, "--anew")
    vault.ok("backup", "verify", "--quick", "--target", "target")


def test_a_time_before_all_backups_is_said(vault: Shell) -> None:
    ran = vault("backup", "verify", "--quick", "--target", "target", "--at", "2026-01-01")
    assert (ran.status, "there is no backup there yet" in ran.err) == (1, True)
    made(vault)
    ran = vault("backup", "verify", "--quick", "--target", "target", "--at", "2020-01-01 12:00")
    assert "was made after that time" in ran.err
    assert vault("backup", "verify", "--quick", "--target", "target", "--at", "noon").status == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--mailbox", "INBOX"), "name it with --account"),
        (("--account", "ada@example.org", "--uid", "3"), "name it with --mailbox"),
        (("--account", "ada@example.org", "--into", "X", "--in-place"), "exclude each other"),
    ],
)
def test_options_that_do_not_go_together(vault: Shell, words: tuple[str, ...], says: str) -> None:
    ran = vault("backup", "restore", "--key", "mine.key", "--target", "target", *words)
    assert ran.status == 2
    assert says in ran.err


def test_nothing_is_restored_over_a_server(vault: Shell) -> None:
    made(vault)
    ran = vault("backup", "restore", "--key", "mine.key", "--target", "target")
    assert ran.status == 1
    assert "is not empty" in ran.err


def test_a_directory_that_is_not_mounted_is_said(vault: Shell) -> None:
    ran = vault("backup", "create", "--target", "elsewhere")
    assert ran.status == 1
    assert "mount the disk" in ran.err


def test_an_account_that_is_not_here_is_said(vault: Shell) -> None:
    made(vault)
    ran = vault(
        *("backup", "restore", "--key", "mine.key", "--target", "target", "--account", "eve@example.org")
    )
    assert ran.status == 1
    assert "eve@example.org" in ran.err


def test_status_tells_of_the_last_backup(vault: Shell, tmp_path: Path) -> None:
    assert "none yet" in vault("status").out
    last = made(vault)
    shown = vault("status").out
    assert f"0 messages in {tmp_path / 'target'}" in shown
    assert json.loads(vault("status", "--json").out)["last_backup"]["id"] == last["id"]
    noted = vault.data / "backup.last"
    noted.write_text(noted.read_text().replace(str(last["made"]), "1.0"))
    assert "make another: postroad backup create" in vault("status").out


def test_a_machine_without_a_server_lists_and_tests_backups_with_the_operators_key(
    vault: Shell, tmp_path: Path
) -> None:
    backup_id = made(vault)["id"]
    elsewhere = ("--key", "mine.key", "--target", "target", "--data", str(tmp_path / "elsewhere"))
    assert backup_id in vault.ok("backup", "list", *elsewhere)
    assert "came back as before" in vault.ok("backup", "verify", *elsewhere)
    assert "every chunk is there" in vault.ok("backup", "verify", "--quick", *elsewhere)


def test_a_server_without_any_mail_yet_is_backed_up(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (shell.data / "packs").rmdir()
    shell.ok("backup", "key", "mine.key")
    assert made(shell)["inventory"]["messages"] == 0
    shell.ok("backup", "restore", "--key", "mine.key", "--target", "target", "--data", str(tmp_path / "new"))
