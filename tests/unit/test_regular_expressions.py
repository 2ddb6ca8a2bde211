"""Regular expressions mean the same on every Python that postroad runs on.

CPython gh-106052: up to 3.11.4, and so on Debian 12, a group that repeats
possessively keeps what its last, failed round has taken: there
`(?:ab?c)++` matches all of "aca". A possessive character or class is right
everywhere. Atomic groups are kept out with them; nothing here needs one.
"""

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import postroad

SOURCE = Path(__file__).parents[2] / "src" / "postroad"
POSSESSIVE_GROUP = re.compile(r"(?<!\\)(?:\\\\)*\)(?:[*+?]|\{[0-9,]*\})\+|\(\?>")

# They have no public name, and nobody else can tell what an expression is made of.
parser = import_module("re._parser")
codes = import_module("re._constants")


def expressions() -> Iterator[tuple[str, re.Pattern[Any]]]:
    """Every expression that a module holds, however it was put together."""
    for module in pkgutil.walk_packages(postroad.__path__, "postroad."):
        if not module.name.endswith(".__main__"):
            for name, value in vars(import_module(module.name)).items():
                if isinstance(value, re.Pattern):
                    yield f"{module.name}.{name}", value


def repeats_group_possessively(pattern: re.Pattern[Any]) -> bool:
    """Say whether a pattern has an atomic group or repeats a group possessively."""
    rest: list[Any] = [parser.parse(pattern.pattern, pattern.flags)]
    while rest:
        node = rest.pop()
        if isinstance(node, parser.SubPattern):
            node = list(node)
        elif not isinstance(node, list | tuple):
            continue
        elif len(node) == 2 and node[0] is codes.ATOMIC_GROUP:
            return True
        elif len(node) == 2 and node[0] is codes.POSSESSIVE_REPEAT:
            repeated = node[1][2]
            if len(repeated) != 1 or repeated[0][0] in (codes.SUBPATTERN, codes.BRANCH):
                return True
        rest.extend(node)
    return False


def test_no_group_is_possessive() -> None:
    found = {name for name, pattern in expressions() if repeats_group_possessively(pattern)}
    assert found == set()


def test_nor_is_one_in_a_function() -> None:
    found = {
        f"{path.relative_to(SOURCE)}:{number}: {line.strip()}"
        for path in SOURCE.rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if POSSESSIVE_GROUP.search(line)
    }
    assert found == set()


@pytest.mark.parametrize(
    "text", ["(?:ab)*+", "(?:ab?c)?+", "(a|bc){2,}+", r"(?:ab|\\)++", "x(?>ab)", "(?:(?:ab)++c)*"]
)
def test_a_possessive_group_is_seen(text: str) -> None:
    assert repeats_group_possessively(re.compile(text))
    assert POSSESSIVE_GROUP.search(text)


@pytest.mark.parametrize("text", ["a*+", "[()]++", r"\)*+", r"\d{1,9}+", "(?:a++b)*", ".?+"])
def test_a_possessive_class_is_fine(text: str) -> None:
    assert not repeats_group_possessively(re.compile(text))
    assert not POSSESSIVE_GROUP.search(text)
