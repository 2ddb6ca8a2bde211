"""Fixtures of the backups' tests."""

from pathlib import Path

import pytest

from tests.unit.backup.vault import Vault


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A data directory with two accounts, a key and an empty target."""
    return Vault(tmp_path)
