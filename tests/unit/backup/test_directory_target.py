"""A directory as a target: whole or not there, and never a wrong disk."""

import os
import resource
import signal
from pathlib import Path

import pytest

from postroad.backup.errors import NoSuchObject, TargetError
from postroad.backup.targets.directory import INCOMING, DirectoryTarget


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="mount the disk"):
        DirectoryTarget(tmp_path / "disk")
    assert not (tmp_path / "disk").exists()


def test_objects_come_back_and_are_listed(tmp_path: Path) -> None:
    target = DirectoryTarget(tmp_path)
    target.put("chunks/ab/abc", b"one")
    target.put("chunks/cd/cde", b"")
    target.put("backups/now", b"three")
    target.settle()
    assert target.get("chunks/ab/abc") == b"one"
    assert target.list("chunks") == {"chunks/ab/abc": 3, "chunks/cd/cde": 0}
    assert target.list("nothing") == {}
    target.delete("chunks/ab/abc")
    target.delete("chunks/ab/abc")
    with pytest.raises(NoSuchObject):
        target.get("chunks/ab/abc")


def test_objects_are_for_their_owner_alone(tmp_path: Path) -> None:
    DirectoryTarget(tmp_path).put("chunks/ab/abc", b"one")
    assert (tmp_path / "chunks/ab/abc").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "chunks").stat().st_mode & 0o077 == 0


def test_an_interrupted_put_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    target = DirectoryTarget(tmp_path)
    (tmp_path / INCOMING).mkdir()
    (tmp_path / INCOMING / "chunks-ab-abc.1").write_bytes(b"half")
    assert target.list("chunks") == {}
    target.clear()
    assert os.listdir(tmp_path / INCOMING) == []


def test_a_put_that_fails_leaves_nothing(tmp_path: Path) -> None:
    target = DirectoryTarget(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
        with pytest.raises(TargetError, match="cannot write chunks/ab/abc: File too large"):
            target.put("chunks/ab/abc", bytes(20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert target.list("chunks") == {}
    assert os.listdir(tmp_path / INCOMING) == []
