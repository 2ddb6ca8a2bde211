"""The directory of the metrics: one for each server, and none left behind."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

# Shares a directory, says its name and lives until it is told to end.
_SERVER: Final = (
    "import os, sys; from postroad.obs import multiprocess as m; m.share();"
    " print(os.environ[m.VARIABLE], flush=True); sys.stdin.read()"
)


class Server:
    """A process that has metrics to share."""

    def __init__(self, place: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(place)},
            text=True,
        )
        assert self._process.stdout is not None
        self.folder = Path(self._process.stdout.readline().strip())

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def place() -> Iterator[Path]:
    """Where temporary directories go."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_a_server_that_lives_keeps_its_directory(place: Path) -> None:
    first = Server(place)
    # Its number says nothing where processes are not seen: as if it were in another container.
    other = first.folder.rename(place / "postroad-metrics-999999999-x")
    second = Server(place)
    try:
        assert other.is_dir()
        assert second.folder.is_dir()
    finally:
        first.kill()
        second.kill()


def test_what_a_killed_server_left_is_removed(place: Path) -> None:
    first = Server(place)
    (first.folder / "counter_1.db").write_bytes(b"x")
    first.kill()
    (place / "postroad-metrics-1-link").symlink_to(place)
    second = Server(place)
    second.kill()
    assert not first.folder.exists()
    assert second.folder.is_dir()
    assert place.is_dir()
