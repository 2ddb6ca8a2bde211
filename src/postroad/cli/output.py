"""What commands print: tables, JSON, one-line errors. Plain text that fits 80 columns.

Colour is only ever an addition to words, and only at a terminal without
NO_COLOR. Text that came from outside (names, subjects, replies of other
servers) goes through `safe`, so that it cannot drive the terminal.
"""

import os
import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Literal

import click
import msgspec

_UNSAFE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_MIN_CUT: Final = 12


class Exit(IntEnum):
    """What a command's exit status says (UX 3.2)."""

    OK = 0
    PROBLEM = 1
    USAGE = 2
    UNREACHABLE = 3
    CONFIG = 78


class Problem(Exception):
    """Why a command cannot do what it was asked: one line, with the one thing to do about it."""

    def __init__(self, message: str, todo: str = "", *, status: Exit = Exit.PROBLEM) -> None:
        super().__init__(f"{message}; {todo}" if todo else message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table; at a terminal that is too narrow, the widest `cut` one is shortened."""

    title: str
    align: Literal["left", "right"] = "left"
    cut: bool = False


def safe(text: str) -> str:
    """Return text without what could move a cursor or turn the direction of writing."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


def print_json(value: Any) -> None:
    """Print a value as JSON, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under titles."""
    cells = [[safe(str(cell)) for cell in row] for row in rows]
    widths = [
        max([len(column.title), *(_width(row[i]) for row in cells)]) for i, column in enumerate(columns)
    ]
    _shorten(columns, widths)
    titles = _line(columns, widths, [column.title for column in columns])
    click.echo(click.style(titles, bold=True) if colour() else titles)
    for row in cells:
        click.echo(_line(columns, widths, row))


def print_facts(facts: Sequence[tuple[str, object]]) -> None:
    """Print names and values, one a line; empty values are left out."""
    shown = [(name, safe(str(value))) for name, value in facts if value not in ("", None)]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        click.echo(f"{name:<{width}}  {value}")


def mark(good: bool) -> str:
    """Return a tick or a cross, coloured at a terminal; words stand beside it."""
    sign, shade = ("\N{CHECK MARK}", "green") if good else ("\N{MULTIPLICATION X}", "red")
    return click.style(sign, fg=shade) if colour() else sign


def error_line(message: str) -> None:
    """Say on standard error what is wrong."""
    prefix = click.style("postroad:", fg="red") if colour(sys.stderr) else "postroad:"
    click.echo(f"{prefix} {safe(message)}", err=True)


def colour(stream: Any = None) -> bool:
    """Whether colours are welcome."""
    return not os.environ.get("NO_COLOR") and bool((stream or sys.stdout).isatty())


def columns_available() -> int:
    """How wide a line may be; without a terminal nothing is cut."""
    if not sys.stdout.isatty():
        return 10_000
    return os.get_terminal_size(sys.stdout.fileno()).columns or 80


def _shorten(columns: Sequence[Column], widths: list[int]) -> None:
    over = sum(widths) + 2 * (len(widths) - 1) - columns_available()
    while over > 0:
        candidates = [i for i, column in enumerate(columns) if column.cut and widths[i] > _MIN_CUT]
        if not candidates:
            return
        widest = max(candidates, key=widths.__getitem__)
        step = min(over, widths[widest] - _MIN_CUT)
        widths[widest] -= step
        over -= step


def _line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str]) -> str:
    parts = []
    for column, width, cell in zip(columns, widths, cells, strict=True):
        text = cell if _width(cell) <= width else cell[: width - 1] + "…"
        padding = " " * (width - _width(text))
        parts.append(padding + text if column.align == "right" else text + padding)
    return "  ".join(parts).rstrip()


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
