"""Key files: two halves, readable by one user, never overwritten, and sentences that help."""

from pathlib import Path

import pytest

from postroad.backup import keys
from postroad.backup.errors import BadKey


def test_both_halves_come_back_from_their_files(tmp_path: Path) -> None:
    key = keys.make()
    keys.write_operator_key(tmp_path / "mine", key)
    keys.write_server_key(tmp_path / "server", key.server)
    assert keys.read_operator_key(tmp_path / "mine").server == key.server
    assert keys.read_server_key(tmp_path / "server") == key.server
    assert keys.read_server_key(tmp_path / "mine") == key.server


def test_the_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    keys.write_operator_key(tmp_path / "mine", keys.make())
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o600


def test_the_servers_half_does_not_hold_the_private_key(tmp_path: Path) -> None:
    key = keys.make()
    keys.write_server_key(tmp_path / "server", key.server)
    assert key.private.private_bytes_raw() not in key.server.secret + key.server.public
    with pytest.raises(BadKey, match="takes the operator's half"):
        keys.read_operator_key(tmp_path / "server")


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    keys.write_operator_key(tmp_path / "mine", keys.make())
    before = (tmp_path / "mine").read_bytes()
    with pytest.raises(BadKey, match="never overwritten"):
        keys.write_operator_key(tmp_path / "mine", keys.make())
    assert (tmp_path / "mine").read_bytes() == before


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    keys.write_operator_key(tmp_path / "mine", keys.make())
    (tmp_path / "mine").chmod(0o640)
    with pytest.raises(BadKey, match="chmod 600"):
        keys.read_operator_key(tmp_path / "mine")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no backup key"),
        ("ssh-ed25519 AAAA someone\n", "holds no backup key"),
        ("postroad-backup-operator-key-1 AAAA\n", "damaged"),
        ("postroad-backup-operator-key-1 !!\n", "damaged"),
    ],
)
def test_what_is_no_key_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "mine").write_text(text)
    (tmp_path / "mine").chmod(0o600)
    with pytest.raises(BadKey, match=says):
        keys.read_operator_key(tmp_path / "mine")


def test_a_key_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(BadKey, match="postroad backup key"):
        keys.read_operator_key(tmp_path / "mine")
