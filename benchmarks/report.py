"""Tables of figures: printed for people, written as JSON for comparing."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

Cell = str | int | float


@dataclass(frozen=True, slots=True)
class Table:
    """What one benchmark found."""

    benchmark: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def print_table(table: Table) -> None:
    """Print a table in plain text, numbers to the right."""
    shown = [tuple(map(_shown, row)) for row in table.rows]
    widths = [max(map(len, column)) for column in zip(table.columns, *shown, strict=True)]
    print(f"\n{table.benchmark}: {table.title}")
    print(_line(table.columns, widths))
    print("  " + "  ".join("-" * width for width in widths))
    for row in shown:
        print(_line(row, widths), flush=True)


def write_json(path: Path, tables: Sequence[Table]) -> None:
    """Write all tables and what they were measured on."""
    machine = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": len(os.sched_getaffinity(0)),
    }
    content = {"machine": machine, "tables": [asdict(table) for table in tables]}
    path.write_text(json.dumps(content, indent=2) + "\n")


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie; 0 without values."""
    if not values:
        return 0.0
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return "  " + "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])


def _shown(cell: Cell) -> str:
    if not isinstance(cell, float):
        return str(cell)
    if abs(cell) >= 100:
        return f"{cell:,.0f}"
    return f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}"
