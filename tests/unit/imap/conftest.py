"""What the tests of sessions share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.imap.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A fresh server's data, removed at once: a pack takes 64 MiB from the start."""
    world = World(tmp_path)
    yield world
    shutil.rmtree(world.data)
