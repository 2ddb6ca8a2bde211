"""What others wrote and we run: few, known, and to the octet (SAFETY C37)."""

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = ("requirements.txt", "requirements-dev.txt", "requirements-fuzz.txt")
MOST: Final = 45
"""Packages that a running server may be made of; whoever adds one has to say so here."""


def packages(name: str) -> dict[str, str]:
    """Each package of a lock file with what is said about it."""
    found = {}
    for entry in re.split(r"\n(?=[A-Za-z])", (ROOT / name).read_text()):
        if match := re.match(r"([A-Za-z0-9_.-]+)(.*)", entry, re.DOTALL):
            found[match[1].lower().replace("_", "-")] = match[2]
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_and_known_by_its_digest(lock: str) -> None:
    found = packages(lock)
    assert found
    for name, rest in found.items():
        assert re.match(r"(?:\[[a-z,]+\])?==[0-9]", rest), name
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", rest), name


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_says_where_from(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|--index-url|--find-links|^\s*-e |@ file", text, re.MULTILINE)


def test_what_is_asked_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {re.match(r"[a-zA-Z0-9_-]+", line)[0].lower() for line in project["dependencies"]}  # type: ignore[index]
    assert asked <= packages("requirements.txt").keys()


def test_they_are_few() -> None:
    assert len(packages("requirements.txt")) <= MOST
