"""The table, for a terminal and for docs/performance.md."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.table import Table

from bench.pairs import OURS, Row
from bench.sample import Target, Unit

HEAD: Final = (
    *("work", "postroad", "peer", "ratio", "spread"),
    *("CPU ms/op", "MiB", "client", "must", "aim", "reached"),
)
_SHORT: Final = {"mdbox": "mdbox", "maildir": "maildir", "synced": "mdbox, fsync"}


def terminal(rows: Sequence[Row]) -> Table:
    """The table for people who wait for it."""
    table = Table(*HEAD)
    for row in rows:
        for cells in lines(row):
            table.add_row(*cells)
    return table


def lines(row: Row) -> Iterator[tuple[str, ...]]:
    """One line for each peer; what they share stands in the first."""
    work = row.work
    targets = (_target(work.must, work.unit), _target(work.aim, work.unit), _reached(row))
    if row.missing:
        yield (work.title, "", row.missing, "", "", "", "", "", *targets)
        return
    ours = _figure(row.figure(OURS), work.unit)
    if not row.peers():
        cost = (f"{row.cpu_ms(OURS):.3g}", f"{row.mebibytes(OURS):.0f}", f"{row.own_share(OURS):.0%}")
        yield (work.title, ours, "", "", "", *cost, *targets)
    for number, peer in enumerate(row.peers()):
        ratios = row.ratios(peer)
        compared = (
            f"{_figure(row.figure(peer), work.unit)} {_SHORT[peer]}",
            f"{row.ratio(peer):.3g}x",
            f"{min(ratios):.3g} – {max(ratios):.3g}",
            f"{row.cpu_ms(OURS):.3g} : {row.cpu_ms(peer):.3g}",
            f"{row.mebibytes(OURS):.0f} : {row.mebibytes(peer):.0f}",
            f"{row.own_share(OURS):.0%}",
        )
        yield ("", "", *compared, "", "", "") if number else (work.title, ours, *compared, *targets)
    if work.mox is not None:
        noted = f"{_figure(work.mox, work.unit)} mox, noted"
        yield ("", "", noted, f"({row.mox_ratio():.3g}x)", "", "", "", "", "", "", "")


def shortfall(row: Row) -> str:
    """How far a row is from what it must reach, for a list of misses."""
    if row.missing:
        return row.missing
    had = [f"{row.ratio(peer):.3g}x of {_SHORT[peer]}" for peer in row.peers()]
    if row.work.judged_by_mox:
        had.append(f"{row.mox_ratio():.3g}x of mox, noted")
    if row.work.must.times is None:
        had = [_figure(row.figure(OURS), row.work.unit)]
    return f"{', '.join(had)}; must be {_target(row.work.must, row.work.unit)}"


def _reached(row: Row) -> str:
    if not row.peers() and not row.missing:
        return ""
    return "aim" if row.reaches(row.work.aim) else "must" if row.reaches(row.work.must) else "missed"


def _figure(value: float, unit: Unit) -> str:
    text = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{text} {unit.value}"


def _target(target: Target, unit: Unit) -> str:
    parts = []
    if target.times is not None:
        parts.append(f"{target.times:g}x")
    if target.most is not None:
        parts.append(f"{target.most:g} {unit.value}")
    if target.cpu_ms is not None:
        parts.append(f"{target.cpu_ms:g} ms CPU")
    return ", ".join(parts)
