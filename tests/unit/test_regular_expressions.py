"""Regular expressions mean the same on every Python that postroad runs on, and none takes long (SAFETY C23).

CPython gh-106052: up to 3.11.4, and so on Debian 12, a group that repeats
possessively keeps what its last, failed round has taken: there
`(?:ab?c)++` matches all of "aca". A possessive character or class is right
everywhere. Atomic groups are kept out with them; nothing here needs one.
"""

import pkgutil
import re
import time
from collections.abc import Iterator
from importlib import import_module
from itertools import permutations
from pathlib import Path
from typing import Any, Final

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


CERTAIN: Final = frozenset(
    {
        "postroad.config.values._SIZE",  # the operator's own settings
    }
)
"""Expressions that no stranger's octets meet."""
WAYS: Final = ("match", "fullmatch", "search", "sub", "finditer", "findall", "split")
LETTERS: Final = 6
"""Different letters that hostile texts for one expression are made of."""
ENOUGH: Final = 0.05
"""CPU seconds for 4 KiB: what is linear takes a hundredth of it, what is not several times as long."""


def letters_of(node: Any) -> Iterator[int]:
    """Every character that an expression names."""
    if isinstance(node, tuple) and len(node) == 2 and node[0] in (codes.LITERAL, codes.NOT_LITERAL):
        yield node[1]
    elif isinstance(node, tuple) and len(node) == 2 and node[0] is codes.RANGE:
        yield node[1][0]
    elif isinstance(node, parser.SubPattern | list | tuple):
        for inner in list(node):
            yield from letters_of(inner)


def hostile_texts(pattern: re.Pattern[Any], size: int) -> Iterator[Any]:
    """Texts that repeat what the expression may repeat, and end with what it cannot end with."""
    named = [letter for letter in letters_of(parser.parse(pattern.pattern, pattern.flags)) if letter < 256]
    letters = list(dict.fromkeys([*b" a\n", *named]))[:LETTERS]
    for unit in [(letter,) for letter in letters] + list(permutations(letters, 2)):
        octets = bytes(unit) * (size // len(unit)) + b"\x01"
        yield octets if isinstance(pattern.pattern, bytes) else octets.decode("latin-1")


def ways_of(name: str, sources: dict[str, str]) -> set[str]:
    """The methods of an expression that the program calls, where it is defined and where it is imported."""
    module, _, own = name.rpartition(".")
    imported = re.compile(rf"from {re.escape(module)} import [^\n]*\b{own}\b")
    called = re.compile(rf"\b{own}\.({'|'.join(WAYS)})\(")
    return {
        way
        for where, text in sources.items()
        if where == module or imported.search(text)
        for way in called.findall(text)
    }


def seconds(pattern: re.Pattern[Any], way: str, text: Any) -> float:
    """What one use costs this thread; the best of three, so that what else the machine does is left out."""
    taken = []
    for _ in range(3):
        began = time.thread_time()
        found = pattern.sub(text[:0], text) if way == "sub" else getattr(pattern, way)(text)
        if way == "finditer":
            sum(1 for _ in found)
        taken.append(time.thread_time() - began)
        if taken[-1] < ENOUGH:
            break
    return min(taken)


def slow_ones(size: int, enough: float) -> dict[str, tuple[str, Any]]:
    """Expressions that take longer, with the method and what the text repeats."""
    sources = {
        "postroad." + ".".join(path.relative_to(SOURCE).with_suffix("").parts): path.read_text()
        for path in SOURCE.rglob("*.py")
    }
    return {
        name: (way, text[:8])
        for name, pattern in expressions()
        if name not in CERTAIN
        for way in ways_of(name, sources)
        for text in hostile_texts(pattern, size)
        if seconds(pattern, way, text) > enough
    }


def test_none_takes_long_for_a_text_that_is_made_for_it() -> None:
    assert slow_ones(4 * 1024, ENOUGH) == {}


@pytest.mark.soak
def test_none_takes_long_for_a_mebibyte() -> None:
    assert slow_ones(1024 * 1024, 20 * ENOUGH) == {}


@pytest.mark.parametrize(("text", "size"), [(r"(a+)+b", 22), (r"\s*\d", 4096), ("&([^-]*)-", 4096)])
def test_a_slow_one_is_seen(text: str, size: int) -> None:
    pattern = re.compile(text)
    assert any(seconds(pattern, "search", hostile) > ENOUGH for hostile in hostile_texts(pattern, size))
