"""The table, for a terminal and for docs/performance.md."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.table import Table

from bench.pairs import OURS, Row
from bench.sample import Target, Unit

HEAD: Final = ("work", "postroad", "peer", "ratio", "spread", "CPU ms/op", "client", "must", "aim", "")
_SHORT: Final = {"mdbox": "mdbox", "maildir": "maildir", "synced": "mdbox, fsync"}


def terminal(rows: Sequence[Row]) -> Table:
    """The table for people who wait for it."""
    table = Table(*HEAD)
    for row in rows:
        for cells in lines(row):
            table.add_row(*cells)
    return table


def lines(row: Row) -> Iterator[tuple[str, ...]]:
    """One line for each peer."""
    work = row.work
    must, aim = _target(work.must, work.unit), _target(work.aim, work.unit)
    if row.missing:
        yield (work.title, "", "", "", row.missing, "", "", must, aim, "missed")
        return
    ours = _figure(row.figure(OURS), work.unit)
    verdict = "aim" if row.reaches(work.aim) else "must" if row.reaches(work.must) else "missed"
    if not row.peers():
        own = f"{row.own_share(OURS):.0%}"
        yield (work.title, ours, "", "", "", f"{row.cpu_ms(OURS):.3g}", own, must, aim, "")
    for number, peer in enumerate(row.peers()):
        ratios = row.ratios(peer)
        yield (
            work.title if number == 0 else "",
            ours if number == 0 else "",
            f"{_figure(row.figure(peer), work.unit)} {_SHORT[peer]}",
            f"{row.ratio(peer):.3g}x",
            f"{min(ratios):.3g} – {max(ratios):.3g}",
            f"{row.cpu_ms(OURS):.3g} : {row.cpu_ms(peer):.3g}",
            f"{row.own_share(OURS):.0%}",
            must if number == 0 else "",
            aim if number == 0 else "",
            verdict if number == 0 else "",
        )
    if work.mox is not None:
        figure = row.figure(OURS)
        ratio = figure / work.mox if work.unit.more_is_better else work.mox / figure
        yield (
            "",
            "",
            f"{_figure(work.mox, work.unit)} mox, noted",
            f"({ratio:.3g}x)",
            "",
            "",
            "",
            "",
            "",
            "",
        )


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
