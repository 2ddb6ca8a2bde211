"""What is kept back of a disk for the time when it is full."""

from pathlib import Path

import apsw
import pytest

from postroad.db.ballast import NAME, OCTETS, SCANT, SPARE, Ballast
from postroad.db.offline import prepare_data
from postroad.db.transaction import Transaction
from postroad.model.refusal import NoSpace
from postroad.store.offline import open_offline


class Disk(Ballast):
    """A ballast on a disk with so much room."""

    def __init__(self, data: Path) -> None:
        self.room = OCTETS + SPARE
        self.time = 0.0
        super().__init__(data, lambda: self.time)

    def _free(self) -> int:
        return self.room


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """One that has just enough room."""
    return Disk(tmp_path)


def test_it_takes_up_room(disk: Disk, tmp_path: Path) -> None:
    disk.make()
    disk.make()
    status = (tmp_path / NAME).stat()
    assert status.st_size == OCTETS
    assert status.st_blocks * 512 >= OCTETS


def test_it_is_not_made_where_there_is_little(disk: Disk, tmp_path: Path) -> None:
    disk.room -= 1
    disk.make()
    assert not (tmp_path / NAME).exists()


def test_what_was_dropped_is_made_again_when_there_is_room(disk: Disk, tmp_path: Path) -> None:
    disk.make()
    disk.drop()
    disk.drop()
    assert not (tmp_path / NAME).exists()
    disk.room, disk.time = 0, 10.0
    disk.mend()
    disk.room, disk.time = OCTETS + SPARE, 10.5
    disk.mend()
    assert not (tmp_path / NAME).exists()  # it looks once a second
    disk.time = 11.0
    disk.mend()
    assert (tmp_path / NAME).exists()


def test_what_never_was_is_not_made_by_the_way(disk: Disk, tmp_path: Path) -> None:
    disk.drop()
    disk.mend()
    assert not (tmp_path / NAME).exists()


def test_a_start_on_a_full_disk_drops_it(disk: Disk, tmp_path: Path) -> None:
    disk.make()
    disk.room = SCANT
    disk.drop_if_scant()
    assert (tmp_path / NAME).exists()
    disk.room -= 1
    disk.drop_if_scant()
    assert not (tmp_path / NAME).exists()


def test_a_command_that_finds_the_disk_full_says_so_and_drops_it(tmp_path: Path) -> None:
    def full(_: Transaction) -> None:
        raise apsw.FullError("database or disk is full")

    prepare_data(tmp_path)
    with open_offline(tmp_path) as database:
        Ballast(tmp_path).make()
        with pytest.raises(NoSpace):
            database.write(full)
    assert not (tmp_path / NAME).exists()
