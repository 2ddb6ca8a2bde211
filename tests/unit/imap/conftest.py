"""What the tests of sessions share."""

from pathlib import Path

import pytest

from tests.unit.imap.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A fresh server's data."""
    return World(tmp_path)
