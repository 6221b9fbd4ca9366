"""
Draws what was measured. Runs where matplotlib is, and nothing of ours.

    python -m scripts.bench.peers.draw FIGURES FOLDER
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl  # type: ignore[import-not-found]

mpl.use("Agg")
from matplotlib import pyplot as plt

SIZE_INCHES = (6.4, 3.6)
DOTS_PER_INCH = 100
# Which version drew it would be a change in every file.
NO_MARKS = {"Software": None}
LINE_WIDTH = 1.8


def draw_rates(lines: Mapping[str, Mapping[str, Sequence[float]]], across: str, title: str, path: Path) -> None:
    """Draw medians, and from the lowest to the highest round as a band."""
    figure, axes = plt.subplots(figsize=SIZE_INCHES)
    for side, figures in lines.items():
        places = [int(place) for place in figures]
        rates = list(figures.values())
        [line] = axes.plot(places, [statistics.median(runs) for runs in rates], marker="o", label=side, lw=LINE_WIDTH)
        axes.fill_between(places, list(map(min, rates)), list(map(max, rates)), color=line.get_color(), alpha=0.15)
    axes.set(xscale="log", xlabel=across, ylabel="jobs a second", title=title)
    ticks = [int(place) for place in next(iter(lines.values()))]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    save(figure, axes, path)


def draw_latencies(lines: Mapping[str, Sequence[float]], path: Path) -> None:
    """Draw which part of all was over by when."""
    figure, axes = plt.subplots(figsize=SIZE_INCHES)
    for side, all_ms in lines.items():
        shares = [(number + 1) / len(all_ms) * 100 for number in range(len(all_ms))]
        axes.step(sorted(all_ms), shares, where="post", lw=LINE_WIDTH, label=f"{side} (p50 {middle(all_ms)} ms)")
    axes.set(xscale="log", xlabel="ms", ylabel="% of jobs over", title="A job that does nothing, one at a time")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_ylim(0, 100)
    save(figure, axes, path)


def middle(all_ms: Sequence[float]) -> str:
    """Returns: the median, short."""
    return f"{statistics.median(all_ms):.3g}"


def save(figure: Any, axes: Any, path: Path) -> None:
    """Write the file, with a grid and a legend."""
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.18))
    figure.tight_layout()
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata=NO_MARKS)
    plt.close(figure)


def main(figures: Path, folder: Path) -> None:
    """Draw all there are."""
    told = json.loads(figures.read_text(encoding="utf-8"))
    at_once, waiting = "jobs at once", "jobs waiting"
    if "concurrency" in told:
        draw_rates(told["concurrency"], at_once, "Bare store: jobs processed", folder / "rate-by-concurrency.png")
    if "backlog" in told:
        draw_rates(told["backlog"], waiting, "Bare store: jobs processed, 50 at once", folder / "rate-by-backlog.png")
    if "latency" in told:
        draw_latencies(told["latency"], folder / "latency.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
