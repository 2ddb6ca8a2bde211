"""Making backups: what is new is added, what is dead leaves, and one at a time."""

import threading
from pathlib import Path
from typing import Any

import pytest

from postroad.backup.errors import Busy, NoRoom, TargetError
from postroad.backup.holds import one_backup
from postroad.backup.snapshot import PACK_PIECE
from postroad.backup.targets.directory import DirectoryTarget
from postroad.store.blobs.hold import hold_packs, may_punch
from postroad.store.blobs.punch import punch
from tests.unit.backup.vault import Vault, letter


def test_a_second_backup_of_the_same_costs_a_manifest(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n, 20_000) for n in range(100)))
    first = vault.create()
    second = vault.create()
    assert first.added_chunks > 2
    assert second.added_chunks == 0
    assert second.added_octets < 2000
    assert second.manifest.files == first.manifest.files


def test_a_pack_that_grew_adds_its_new_end_only(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n, 100_000) for n in range(50)))
    vault.create()
    before = set(vault.chunks())
    vault.desk.put("INBOX", letter(99))
    made = vault.create()
    pack = next(file for file in made.manifest.files if file.path.endswith(".pack"))
    assert len(pack.pieces) >= 4
    assert len(set(vault.chunks()) - before) == made.added_chunks
    # The end of the pack, and the pages of the index that one message touches.
    index = next(file for file in made.manifest.files if file.path == "index.db")
    assert made.added_chunks <= 1 + len(index.pieces)


def test_unchanged_pieces_of_packs_are_not_even_read(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n, 100_000) for n in range(50)))
    first = vault.create()
    pack = next(vault.data.glob("packs/*.pack"))
    with pack.open("r+b") as file:
        file.seek(200_000)
        file.write(b"rot of the disk that the index knows nothing of")
    # The good octets are in the target already, and the bad ones do not take their place.
    assert vault.create().manifest.files == first.manifest.files
    assert vault.verify() == []


def test_what_is_punched_out_leaves_with_the_last_backup_that_has_it(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n, 100_000) for n in range(30)))
    first = vault.create()
    with vault.desk.open() as (database, _):
        ((blob, pack, offset, length),) = database.read(
            lambda reader: reader.rows("SELECT id, pack, offset, length FROM blob LIMIT 1 OFFSET 3")
        )
        punch(vault.data / "packs", pack, offset, length)
        # As expunge and sweep would leave it.
        database.write(lambda tx: tx.run("DELETE FROM blob WHERE id = ?", blob))
    second = vault.create()
    assert second.manifest.files != first.manifest.files
    octets = vault.fetcher.read(
        next(file for file in second.manifest.files if file.path.endswith(".pack")), offset, length
    )
    assert octets == bytes(length)


def test_holes_come_back_as_holes(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n, 100_000) for n in range(30)))
    with vault.desk.open() as (database, _):
        for pack, offset, length in database.read(
            lambda reader: reader.rows("SELECT pack, offset, length FROM blob WHERE id % 2 = 1")
        ):
            punch(vault.data / "packs", pack, offset, length)
    (pack,) = (file for file in vault.create().manifest.files if file.path.endswith(".pack"))
    written = vault.folder / "written"
    vault.fetcher.write(pack, written)
    assert written.read_bytes() == (vault.data / pack.path).read_bytes()[: pack.length]
    assert written.stat().st_blocks * 512 < pack.length * 0.6


def test_nothing_is_punched_while_a_backup_reads(vault: Vault) -> None:
    packs = vault.data / "packs"
    with hold_packs(packs), hold_packs(packs), may_punch(packs) as free:
        assert not free
    with may_punch(packs) as free:
        assert free


def test_two_at_once_exclude_each_other(vault: Vault) -> None:
    with one_backup(vault.data), pytest.raises(Busy, match="another backup"):
        vault.create()
    vault.create()


def test_a_message_in_a_lost_pack_does_not_keep_others_from_the_backup(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n) for n in range(5)))
    pack = next(vault.data.glob("packs/*.pack"))
    pack.unlink()
    made = vault.create()
    assert made.manifest.damage
    assert pack.name in made.manifest.damage[0]
    assert made.manifest.inventory.messages == 5


def test_what_could_not_be_read_once_is_read_again(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n, 100_000) for n in range(30)))
    pack = next(vault.data.glob("packs/*.pack"))
    pack.rename(vault.folder / "away")
    assert len(vault.create().manifest.damage) == 3
    (vault.folder / "away").rename(pack)
    assert vault.create().manifest.damage == ()
    assert vault.verify() == []


def test_a_place_without_room_is_said_before_anything_is_done(vault: Vault) -> None:
    with pytest.raises(NoRoom, match="are left for mail"):
        vault.create(reserve=1 << 60)
    assert list(vault.chunks()) == []
    assert list((vault.folder / "scratch").iterdir()) == []


class Breaking(DirectoryTarget):
    """A target that fails from the Nth put on."""

    def __init__(self, folder: Path, after: int) -> None:
        super().__init__(folder)
        self._left = after
        self._lock = threading.Lock()

    def put(self, name: str, octets: bytes) -> None:
        with self._lock:
            self._left -= 1
        if self._left < 0:
            raise TargetError("the cable is out")
        super().put(name, octets)


@pytest.mark.parametrize("after", [0, 1, 4])
def test_after_a_target_has_failed_the_next_run_goes_on(vault: Vault, after: int) -> None:
    vault.desk.put("INBOX", *(letter(n, 100_000) for n in range(50)))
    whole = vault.target
    vault.target = Breaking(vault.folder / "target", after)
    with pytest.raises(TargetError, match="the cable is out"):
        vault.create()
    there = len(list(vault.chunks()))
    assert there == after
    vault.target = whole
    made = vault.create()
    assert len(list(vault.chunks())) == there + made.added_chunks
    assert vault.verify() == []


def test_a_chunk_that_lost_octets_is_put_again(vault: Vault) -> None:
    vault.desk.put("INBOX", letter(1, 50_000))
    vault.create()
    chunk = next(vault.chunks())
    chunk.write_bytes(chunk.read_bytes()[:-1])
    assert vault.create().added_chunks == 1
    assert vault.verify() == []


def test_stored_anew_a_backup_mends_chunks_that_rotted(vault: Vault) -> None:
    vault.desk.put("INBOX", letter(1, 50_000))
    vault.create()
    for chunk in vault.chunks():
        octets = bytearray(chunk.read_bytes())
        octets[100] ^= 1
        chunk.write_bytes(bytes(octets))
    assert vault.create().added_chunks == 0
    assert vault.look()
    vault.create(anew=True)
    assert vault.look() == []


def test_a_restored_server_and_the_lost_one_are_two(vault: Vault) -> None:
    # What the new one's packs hold must be read: the old one's pieces say nothing about them.
    vault.desk.put("INBOX", letter(1))
    first = vault.create().manifest
    back = vault.restore()
    vault.desk.data = back.data
    assert vault.create().manifest.server != first.server


def test_a_piece_is_a_whole_number_of_pages() -> None:
    assert PACK_PIECE % 4096 == 0


def test_progress_ends_where_it_said(vault: Vault) -> None:
    vault.desk.put("INBOX", *(letter(n, 100_000) for n in range(20)))
    told: list[Any] = []
    made = vault.create(progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (made.manifest.octets, made.manifest.octets)
    assert told == sorted(told)
