"""Rows for a person, as a table, and for programs, as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from rich.table import Table

from scripts.bench.row import Row


def table(rows: Iterable[Row], title: str) -> Table:
    """Returns: a line for each row; one that misses its target says so."""
    shown = Table("what", "ours", "theirs", "", "ratio", "target", "met", title=title)
    for row in rows:
        theirs = "" if row.their_figure is None else _figure(row.their_figure, row.unit)
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        met = "[green]yes[/green]" if row.met else "[red]missed[/red]"
        shown.add_row(row.what, _figure(row.our_figure, row.unit), theirs, row.theirs, ratio, str(row.target), met)
    return shown


def write_json(path: Path, rows: Iterable[Row], conditions: Mapping[str, object]) -> None:
    """Write all of it, with the figures of each round."""
    told = {"conditions": dict(conditions), "rows": [plain(row) for row in rows]}
    path.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def plain(row: Row) -> Mapping[str, object]:
    """Returns: a row as JSON has it."""
    return {
        "what": row.what,
        "unit": row.unit,
        "ours": row.our_figure,
        "theirs": row.their_figure,
        "comparedWith": row.theirs,
        "ratio": row.ratio,
        "target": str(row.target),
        "met": row.met,
        "rounds": {"ours": list(row.our_runs), "theirs": list(row.their_runs)},
        "samples": {"ours": list(row.our_samples), "theirs": list(row.their_samples)},
    }


def _figure(figure: float, unit: str) -> str:
    digits = 0 if abs(figure) >= 100 else 1 if abs(figure) >= 10 else 2
    return f"{figure:,.{digits}f} {unit}"
