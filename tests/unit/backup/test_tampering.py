"""What a target may do to a backup, and that it is found and named: changed, cut, swapped, gone, replayed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from postroad.backup import keys
from postroad.backup import manifest as manifests
from postroad.backup.errors import Tampered, WrongKey
from postroad.backup.seal import Sealer
from tests.unit.backup.vault import Vault, letter


def change(chunks: list[Path]) -> Path:
    octets = bytearray(chunks[0].read_bytes())
    octets[len(octets) // 2] ^= 1
    chunks[0].write_bytes(bytes(octets))
    return chunks[0]


def cut(chunks: list[Path]) -> Path:
    chunks[0].write_bytes(chunks[0].read_bytes()[:-1])
    return chunks[0]


def empty(chunks: list[Path]) -> Path:
    chunks[0].write_bytes(b"")
    return chunks[0]


def swap(chunks: list[Path]) -> Path:
    shutil.copy(chunks[1], chunks[0])
    return chunks[0]


def lose(chunks: list[Path]) -> Path:
    chunks[0].unlink()
    return chunks[0]


@pytest.mark.parametrize("harm", [change, cut, empty, swap, lose])
def test_a_chunk_that_is_not_what_was_put_there_is_named(
    vault: Vault, harm: Callable[[list[Path]], Path]
) -> None:
    vault.desk.put("INBOX", *(letter(n, 100_000) for n in range(20)))
    vault.create()
    assert vault.look() == []
    harmed = harm(list(vault.chunks()))
    (found,) = vault.look()
    assert harmed.name in found
    (found,) = vault.verify()
    assert harmed.name in found
    with pytest.raises(Tampered, match=harmed.name):
        vault.restore()


def test_an_older_manifest_does_not_pass_for_a_newer_one(vault: Vault) -> None:
    old = vault.create().manifest.id
    vault.desk.put("INBOX", letter(1))
    new = vault.create().manifest.id
    folder = vault.folder / "target" / "backups"
    shutil.copy(folder / old, folder / new)
    with pytest.raises(Tampered, match=new):
        manifests.read(vault.target, vault.sealer, new)


def test_a_manifest_that_was_renamed_is_refused(vault: Vault) -> None:
    made = vault.create().manifest.id
    folder = vault.folder / "target" / "backups"
    (folder / made).rename(folder / "20990101T000000Z-abcdef")
    with pytest.raises(Tampered, match="20990101T000000Z-abcdef"):
        manifests.read(vault.target, vault.sealer, "20990101T000000Z-abcdef")


def test_a_chunk_of_an_earlier_backup_does_not_pass_for_todays(vault: Vault) -> None:
    vault.create()
    before = set(vault.chunks())
    vault.desk.put("INBOX", letter(1))
    vault.create()
    newer = sorted(set(vault.chunks()) - before)
    shutil.copy(sorted(before)[0], newer[0])
    assert any(newer[0].name in problem for problem in vault.look())


def test_somebody_elses_manifest_is_told_from_damage(vault: Vault) -> None:
    made = vault.create().manifest.id
    with pytest.raises(WrongKey, match="give the file that postroad backup key made"):
        manifests.read(vault.target, Sealer(keys.make().server), made)


def test_a_server_without_the_operators_key_finds_what_is_wrong(vault: Vault) -> None:
    vault.desk.put("INBOX", letter(1))
    vault.create()
    change(list(vault.chunks()))
    assert len(vault.look()) == 1  # with `Sealer` alone
