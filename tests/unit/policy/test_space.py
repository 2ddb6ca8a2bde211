"""Whether there is disk for one more message."""

import os
from pathlib import Path

import pytest

from postroad.config.limits import MIB, Limits
from postroad.model.refusal import Unavailable
from postroad.policy.space import Space
from tests.unit.policy.world import HeldClock


def free_below(folder: Path) -> int:
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def test_there_is_room(tmp_path: Path) -> None:
    space = Space(tmp_path, Limits(free_space=1), HeldClock())
    assert space.has_room(1000)
    space.check(1000)
    assert space.free() > 0


def test_the_floor_holds_whatever_the_size(tmp_path: Path) -> None:
    space = Space(tmp_path, Limits(free_space=free_below(tmp_path) * 2), HeldClock())
    assert not space.has_room(1)
    with pytest.raises(Unavailable, match="not enough disk space"):
        space.check(1)


def test_a_message_needs_half_as_much_again(tmp_path: Path) -> None:
    space = Space(tmp_path, Limits(free_space=1), HeldClock())
    assert not space.has_room(space.free() * 7 // 10)
    assert space.has_room(space.free() * 6 // 10)


def test_a_size_that_was_not_said_is_the_largest(tmp_path: Path) -> None:
    space = Space(tmp_path, Limits(free_space=1, message_size=free_below(tmp_path) * 2), HeldClock())
    assert not space.has_room()
    assert space.has_room(MIB)


def test_the_disk_is_asked_once_a_second(tmp_path: Path) -> None:
    clock = HeldClock()
    folder = tmp_path / "mail"
    folder.mkdir()
    space = Space(folder, Limits(), clock)
    before = space.free()
    folder.rmdir()
    assert space.free() == before
    clock.time += 1
    with pytest.raises(FileNotFoundError):
        space.free()
