"""On which line of a TOML file each key stands.

`tomllib` gives values without places. A statement ends where the lines since
the last one parse as TOML by themselves, which is true of no other place: an
open string or array does not parse. So no second TOML grammar is needed.
"""

import tomllib
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""A key: `("limits", "message_size")`, `("listener", 1, "role")`."""


def lines_of(text: str) -> dict[Path, int]:
    """Map every key and table of a file that parses to its line, counted from 1."""
    places: dict[Path, int] = {}
    table: Path = ()
    counts: dict[Path, int] = {}
    statement, start = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if not statement:
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            start = number
        statement += line + "\n"
        try:
            parsed = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        if statement.lstrip().startswith("["):
            table = _header(parsed, counts)
            places.setdefault(table, start)
        else:
            _note(places, table, parsed, start)
        statement = ""
    return places


def _header(parsed: dict[str, Any], counts: dict[Path, int]) -> Path:
    """Return where `[a.b]` or `[[a.b]]` leads, counting the tables of arrays."""
    path: Path = ()
    value: Any = parsed
    while value:
        if isinstance(value, list):
            counts[path] = counts.get(path, -1) + 1
            return (*path, counts[path])
        ((name, value),) = value.items()
        path = (*path, name)
        # [a.b] under [[a]] belongs to the newest table of the array.
        if path in counts and not isinstance(value, list):
            path = (*path, counts[path])
    return path


def _note(places: dict[Path, int], table: Path, parsed: dict[str, Any], line: int) -> None:
    for name, value in parsed.items():
        path = (*table, name)
        places.setdefault(path, line)
        if isinstance(value, dict):
            _note(places, path, value, line)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    places.setdefault((*path, index), line)
                    _note(places, (*path, index), item, line)
