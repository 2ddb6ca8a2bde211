"""Room behind the end of a pack: zeros for little mail, blocks for much, and no errors of its own."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from postroad.store.blobs.room import ALLOCATED_AHEAD, ZEROED_AHEAD, Room

_FIRST = b"first\n"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path / "1.pack", os.O_RDWR | os.O_CREAT)
    os.pwrite(fd, _FIRST, 0)
    yield fd
    os.close(fd)


def test_zeros_stand_behind_little_mail_up_to_the_end_of_a_block(file: int) -> None:
    Room(file, 0).write_zeros(len(_FIRST))
    assert os.pread(file, 2 * ZEROED_AHEAD, 0) == _FIRST + bytes(ZEROED_AHEAD - len(_FIRST))


def test_no_more_are_written_while_there_are_some(file: int) -> None:
    behind = Room(file, 0)
    behind.write_zeros(len(_FIRST))
    os.pwrite(file, b"mail", ZEROED_AHEAD - 4)
    behind.write_zeros(ZEROED_AHEAD)
    assert os.fstat(file).st_size == ZEROED_AHEAD
    behind.write_zeros(ZEROED_AHEAD + 1)
    assert os.pread(file, 4, ZEROED_AHEAD - 4) == b"mail"
    assert os.fstat(file).st_size == 2 * ZEROED_AHEAD


def test_much_mail_finds_its_blocks_and_more(file: int) -> None:
    behind = Room(file, 0)
    behind.write_zeros(len(_FIRST))
    behind.allocate(ZEROED_AHEAD)
    assert os.fstat(file).st_size == ZEROED_AHEAD
    behind.allocate(ZEROED_AHEAD + 1)
    assert os.fstat(file).st_size == ZEROED_AHEAD + 1 + ALLOCATED_AHEAD


def test_blocks_that_are_only_allocated_are_written_all_the_same(
    file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    monkeypatch.setattr(
        "postroad.store.blobs.room.os.pwrite", lambda _fd, data, at: written.append(at + len(data))
    )
    behind = Room(file, 0)
    behind.allocate(1)
    behind.write_zeros(len(_FIRST))
    assert written == [ZEROED_AHEAD]


@pytest.mark.parametrize("name", ["pwrite", "posix_fallocate"])
def test_a_full_disk_is_no_error_and_a_broken_one_is(
    file: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = errno.ENOSPC

    def failing(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(f"postroad.store.blobs.room.os.{name}", failing)
    make = Room.write_zeros if name == "pwrite" else Room.allocate
    make(Room(file, 0), 10)
    error = errno.EIO
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        make(Room(file, 0), 10)
