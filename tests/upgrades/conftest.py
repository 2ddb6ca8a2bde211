"""Data directories of every schema that was ever released, as a `kill -9` left them."""

import tarfile
from pathlib import Path
from typing import Any, Final

import pytest

from postroad.db.migrate import LATEST

FIXTURES: Final = Path(__file__).parent.parent / "fixtures"
_FILTER: Final[dict[str, Any]] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
RELEASED: Final = tuple(range(1, LATEST))


def unpack(schema: int, folder: Path) -> Path:
    """Unpack the data directory of a schema; gives where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(FIXTURES / f"schema-{schema}.tar.xz") as archive:
        # Python 3.11.2 (Debian 12) has no `filter` yet, and later ones warn where there is none.
        archive.extractall(folder, **_FILTER)
    return folder / "data"


@pytest.fixture(params=RELEASED, ids=lambda schema: f"schema-{schema}")
def old_data(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A data directory of an earlier schema."""
    return unpack(request.param, tmp_path)


@pytest.fixture
def schema_1(tmp_path: Path) -> Path:
    """The data directory of the first schema."""
    return unpack(1, tmp_path)
