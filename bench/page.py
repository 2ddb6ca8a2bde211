"""Writing what was measured into docs/performance.md, between its two markers."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import machine
from bench.pairs import OURS, Row, all_samples
from bench.report import HEAD, lines, shortfall


def write(path: Path, rows: Sequence[Row], command: str) -> None:
    """Replace the measured part of the page, and write the samples beside it as JSON."""
    replace(path, "measured by make bench-peers", _measured(rows, command))
    path.with_suffix(".json").write_text(json.dumps(_samples(rows), indent=1) + "\n")


def replace(path: Path, what: str, text: str) -> None:
    """Put `text` between two comments of a page, `<!-- what -->` and `<!-- end -->`.

    Raises:
        ValueError: the page has no such place.
    """
    before, begin, rest = path.read_text().partition(f"<!-- {what} -->")
    _, end, after = rest.partition("<!-- end -->")
    if not end:
        raise ValueError(f"{path} has no place for what is {what}")
    path.write_text(f"{before}{begin}\n{text}{end}{after}")


def origin(command: str) -> str:
    """Say when, how, where and on what something was measured."""
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with `{command}`: {machine.machine()}.\n"
        f"{machine.ours()}; {machine.theirs()}.\n\n"
    )


def _measured(rows: Sequence[Row], command: str) -> str:
    table = [HEAD, tuple("---" for _ in HEAD)]
    table += [cells for row in rows for cells in lines(row)]
    return (
        origin(command) + "".join(f"| {' | '.join(cells)} |\n" for cells in table) + f"\n{_summary(rows)}\n"
    )


def _summary(rows: Sequence[Row]) -> str:
    aims = sum(row.reaches(row.work.aim) for row in rows)
    missed = [row for row in rows if not row.reaches(row.work.must)]
    musts = len(rows) - len(missed)
    busiest = max(sample.own / sample.seconds for sample in all_samples(rows))
    text = (
        f"Of {len(rows)} rows {musts} reach what they must, {aims} of them what was aimed at. "
        f"The load generator took at most {busiest:.0%} of one core.\n"
    )
    if missed:
        text += "\nMissed:\n\n" + "".join(f"- {row.work.title}: {shortfall(row)}\n" for row in missed)
    return text


def _samples(rows: Sequence[Row]) -> dict[str, object]:
    return {
        row.work.name: {
            "title": row.work.title,
            "unit": row.work.unit.value,
            "missing": row.missing,
            "ratio": {peer: round(row.ratio(peer), 4) for peer in row.peers()},
            "samples": {
                "postroad" if side == OURS else side: [
                    {
                        "value": round(sample.value, 4),
                        "count": sample.count,
                        "seconds": round(sample.seconds, 5),
                        "cpu": round(sample.cpu, 5),
                        "memory": sample.memory,
                        "client": round(sample.own, 5),
                    }
                    for sample in samples
                ]
                for side, samples in row.samples.items()
            },
        }
        for row in rows
    }
