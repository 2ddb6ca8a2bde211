"""Giving up root, and being the only one."""

import os
import pwd
from pathlib import Path

import pytest

from postroad.prepare_start import PID_FILE, Instance, become, running_pid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_links_in_the_data_directory_give_nothing_else_away(tmp_path: Path) -> None:
    data, outside = tmp_path / "data", tmp_path / "outside"
    (data / "packs").mkdir(parents=True)
    outside.write_text("root's")
    (data / "packs" / "link").symlink_to(outside)
    child = os.fork()
    if not child:
        try:
            become("nobody", data)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert outside.stat().st_uid == 0
    assert (data / "packs").stat().st_uid == pwd.getpwnam("nobody").pw_uid


def test_a_lock_on_a_file_that_was_removed_is_none(tmp_path: Path) -> None:
    one = Instance(tmp_path)
    one._fd = os.open(tmp_path / PID_FILE, os.O_RDWR | os.O_CREAT)
    (tmp_path / PID_FILE).unlink()  # its last holder went in between
    assert one._has_lock()
    assert os.path.samestat(os.fstat(one._fd), (tmp_path / PID_FILE).stat())
    assert running_pid(tmp_path) is not None
    os.close(one._fd)
