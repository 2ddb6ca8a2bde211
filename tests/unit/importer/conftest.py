"""Fixtures of the importer's tests."""

from pathlib import Path

import pytest

from tests.unit.importer.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A data directory with two accounts."""
    return Desk(tmp_path / "data")
