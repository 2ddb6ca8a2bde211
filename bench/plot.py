"""Drawing the curves: small, legible, and the same octets for the same figures."""

import json
from pathlib import Path
from typing import Any, Final

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.ticker import FuncFormatter

_COLOURS: Final = ("#1b5e8c", "#b4541a")
"""Ours, theirs; TLS is dashed."""
_INK: Final = "#444444"
_WIDE: Final = 100
"""Where the largest x is that many times the smallest, the axis is logarithmic."""


def draw(directory: Path) -> None:
    """Draw every curve whose figures lie there as JSON."""
    matplotlib.rcParams.update(
        {
            "svg.hashsalt": "postroad",
            "svg.fonttype": "none",
            "font.family": "sans-serif",
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": _INK,
            "axes.labelcolor": _INK,
            "xtick.color": _INK,
            "ytick.color": _INK,
        }
    )
    for path in sorted(directory.glob("*.json")):
        _draw(json.loads(path.read_text()), path.with_suffix(".svg"))


def _draw(curve: dict[str, Any], path: Path) -> None:
    panels = curve["panels"]
    rows = 2 if len(panels) > 3 else 1
    columns = -(-len(panels) // rows)
    figure, axes = pyplot.subplots(
        rows,
        columns,
        figsize=(max(4.8, 3.2 * columns + 0.4), 2.6 * rows),
        squeeze=False,
        layout="constrained",
    )
    for panel, place in zip(panels, axes.flat, strict=False):
        _draw_panel(panel, place)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    if len(labels) > 1:
        figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _draw_panel(panel: dict[str, Any], axes: Any) -> None:
    for name, points in panel["lines"].items():
        theirs = not name.startswith("postroad")
        axes.plot(
            *zip(*points, strict=True),
            label=name,
            color=_COLOURS[theirs],
            linestyle="--" if name.endswith("TLS") else "-",
            marker="o" if len(points) < 20 else None,
            markersize=3,
            linewidth=1.4,
        )
    xs = [x for points in panel["lines"].values() for x, _ in points]
    ys = [y for points in panel["lines"].values() for _, y in points]
    if min(xs) > 0 and max(xs) >= _WIDE * min(xs):
        axes.set_xscale("log")
    if min(ys) > 0 and max(ys) >= _WIDE * min(ys):
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, 1.08 * max(ys))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(_number))
    axes.minorticks_off()
    axes.set_title(panel["title"], fontsize=9, loc="left", color=_INK)
    axes.set_xlabel(panel["x"])
    axes.set_ylabel(panel["y"])
    axes.grid(True, color="#e6e6e6", linewidth=0.6)


def _number(value: float, _: object) -> str:
    """A tick as people write it: 0.1, 5,000, 100k."""
    return f"{value / 1000:,g}k" if value >= 10_000 else f"{value:,.10g}"
