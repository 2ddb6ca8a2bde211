"""The spool: octets that are still in use outlive it."""

import os
from pathlib import Path

import pytest

from postroad.model.refusal import NoSpace
from postroad.store.blobs.spool import IN_MEMORY, PIECE, Spool


def test_octets_in_use_outlive_the_spool(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write(b"x" * (IN_MEMORY + 1))
    octets = spool.finish()
    spool.close()  # the session was cancelled; its group is still to be written
    assert len(octets) == IN_MEMORY + 1
    assert bytes(octets[-2:]) == b"xx"


def test_many_messages_on_their_way_leave_the_reserve_of_the_disk_alone(tmp_path: Path) -> None:
    status = os.statvfs(tmp_path)
    roomy, cramped = Spool(tmp_path, 1), Spool(tmp_path, status.f_blocks * status.f_frsize + 1)
    roomy.write(b"x" * (IN_MEMORY + 1))
    cramped.write(b"x" * IN_MEMORY)  # memory is no disk
    with pytest.raises(NoSpace):
        cramped.write(b"x")
    filling = Spool(tmp_path)
    filling.write(b"x" * (IN_MEMORY + 1))
    filling._reserve = cramped._reserve  # the disk has filled up meanwhile
    filling.write(b"x" * PIECE)
    with pytest.raises(NoSpace):
        filling.write(b"x")
    for spool in (roomy, cramped, filling):
        spool.close()


def test_small_chunks_are_written_in_pieces_and_none_is_forgotten(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        written = b""
        for number in range(IN_MEMORY // 1000 + PIECE // 500):
            chunk = number.to_bytes(4, "big") * 250
            spool.write(chunk)
            written += chunk
        assert bytes(spool.finish()) == written
