"""What the disk of the power cuts is worth as a witness, without postroad (SAFETY: A2).

Programs that do nothing but write and fdatasync run beside the shutdown. All
that was synced before it began has to be there, or the disk is a false
witness. What was synced while it was under way is counted: Linux returns
success for some of it and keeps nothing, probably because an fdatasync that
waits for a transaction of the journal finds it ended, and not that it was
aborted. So an answer that was given in that moment proves nothing.
"""

import mmap
import os
import random
import signal
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.faults.power import Disk, own_mounts

_BLOCK: Final = 4096
_KEPT: Final = 64
"""Syncs of each writer that are remembered; many more than a shutdown lasts."""
_NOTE: Final = struct.Struct("=Qd")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk without anything on it."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk and cut its power")
    with own_mounts():
        disk = Disk(tmp_path / "disk", megabytes=256)
        disk.mount()
        try:
            yield disk
        finally:
            disk.unmount()


class Writer:
    """A process that writes block after block, and notes when each was synced."""

    def __init__(self, path: Path, room: int) -> None:
        """Start it; `room` are octets allocated ahead, as packs have them."""
        self._path = path
        self._notes = mmap.mmap(-1, _KEPT * _NOTE.size)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        if room:
            os.posix_fallocate(fd, 0, room)
        os.fsync(fd)
        self._pid = os.fork()
        if not self._pid:
            self._write(fd)
        os.close(fd)

    def wait(self) -> None:
        """It ends with the first write that fails."""
        os.waitpid(self._pid, 0)

    def missing(self) -> list[float]:
        """When those blocks were said to be on the disk that are not."""
        octets = self._path.read_bytes()
        notes = [_NOTE.unpack_from(self._notes, n * _NOTE.size) for n in range(_KEPT)]
        return [at for n, at in notes if n and octets[n * _BLOCK : (n + 1) * _BLOCK] != _block(n)]

    def _write(self, fd: int) -> None:
        signal.alarm(60)
        try:
            number = 0
            while True:
                number += 1
                os.pwrite(fd, _block(number), number * _BLOCK)
                os.fdatasync(fd)
                _NOTE.pack_into(self._notes, number % _KEPT * _NOTE.size, number, time.monotonic())
        finally:
            os._exit(0)


def _block(number: int) -> bytes:
    return number.to_bytes(8, "little") * (_BLOCK // 8)


def cut_and_count(disk: Disk, cuts: int) -> list[float]:
    """Cut the power so often; give how long after that began each worthless sync came back."""
    chance = random.Random(cuts)
    late: list[float] = []
    for _ in range(cuts):
        writers = [
            Writer(disk.folder / f"{room}-{n}", room) for room in (0, 8 * 1024 * 1024) for n in range(3)
        ]
        time.sleep(chance.uniform(0.02, 0.2))  # when it falls is what this is about
        began = disk.cut()
        for writer in writers:
            writer.wait()
        disk.unmount()
        disk.mend()
        disk.mount()
        missing = [at for writer in writers for at in writer.missing()]
        assert all(at >= began for at in missing), "lost what was synced before the power was cut"
        late += [at - began for at in missing]
    return late


def test_what_was_synced_before_is_there(disk: Disk) -> None:
    cut_and_count(disk, 4)


@pytest.mark.soak
def test_how_often_a_sync_is_worth_nothing(disk: Disk) -> None:
    late = cut_and_count(disk, 100)
    print(f"\n100 cuts: {len(late)} syncs that came back with success meanwhile were worth nothing")
    if late:
        print(f"{min(late) * 1000:.1f} to {max(late) * 1000:.1f} ms after the cut began")
