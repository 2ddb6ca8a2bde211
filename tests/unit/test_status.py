"""docs/rfc/status.toml says of every RFC how much of it is spoken, and what is missing of the rest."""

import tomllib
from pathlib import Path

STATUS = Path(__file__).parents[2] / "docs" / "rfc" / "status.toml"


def test_every_row_says_what_is_missing() -> None:
    rows = tomllib.loads(STATUS.read_text())
    assert len(rows) > 40
    for name, row in rows.items():
        assert name.startswith("rfc"), name
        assert row["title"], name
        assert row["status"] in ("yes", "partial", "no"), name
        assert (row["status"] == "yes") == ("missing" not in row), name
