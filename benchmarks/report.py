"""Tables of results, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean
from typing import Literal, TypedDict

from benchmarks.race import REFERENCE, Cell, Row

#: By the clock, or of the processor: the latter is steadier on a machine that has other work.
Clock = Literal["seconds", "cpu"]
COLUMNS = ("warm", "cold", "in-process", "nixeval")


class Results(TypedDict):
    """What is kept: of which machine, and its rows by the name of the program."""

    machine: dict[str, object]
    rows: dict[str, Row]


def table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table whose columns are aligned, the first to the left."""
    rows = [heads, *lines]
    widths = [max(3, *(len(row[at]) for row in rows)) for at in range(len(heads))]

    def line(row: Sequence[str]) -> str:
        first, *others = [text.rjust(width) for text, width in zip(row, widths, strict=True)]
        return " | ".join([f"| {row[0].ljust(len(first))}", *others]) + " |"

    rule = "|".join(["", "-" * (widths[0] + 2), *["-" * (width + 1) + ":" for width in widths[1:]], ""])
    return "\n".join([line(heads), rule, *map(line, rows[1:])])


def detail(results: Results, clock: Clock) -> str:
    """A line for each program: seconds, and how many times those of C++ Nix that is."""
    heads = ["program", f"{REFERENCE}, s", *[f"{name}, s" for name in COLUMNS], "peak, MiB", "warm", "cold"]
    return table(heads, [_detail_line(name, row, clock) for name, row in results["rows"].items()])


def _detail_line(name: str, row: Row, clock: Clock) -> list[str]:
    cells, differs = row["cells"], row["differs"]
    times = [_times(row, column, clock) for column in (REFERENCE, *COLUMNS)]
    peaks = [_peak(cells, column) for column in (REFERENCE, "warm", "cold")]
    return [name + (f" DIFFERS: {', '.join(differs)}" if differs else ""), *times, *peaks]


def _times(row: Row, column: str, clock: Clock) -> str:
    cell = row["cells"].get(column, {})
    if "peak" not in cell:
        return cell.get("failed", "-")
    seconds = f"{cell[clock]:.3f}"
    if column == REFERENCE or (ratio := _ratio(row, column, clock)) is None:
        return seconds
    return f"{seconds} ({ratio:.1f}x)"


def _peak(cells: Mapping[str, Cell], column: str) -> str:
    peak = cells.get(column, {}).get("peak")
    return f"{peak:.0f}" if peak else "-"


def _ratio(row: Row, column: str, clock: Clock) -> float | None:
    ours, theirs = row["cells"].get(column, {}), row["cells"].get(REFERENCE, {})
    if "peak" not in ours or "peak" not in theirs:
        return None
    return max(ours[clock], 0.001) / max(theirs[clock], 0.001)  # a clock is no better


def _memory_ratio(row: Row, column: str) -> float | None:
    ours, theirs = (row["cells"].get(name, {}).get("peak") for name in (column, REFERENCE))
    return ours / theirs if ours and theirs else None


def summary(results: Results, clock: Clock) -> str:
    """A line for each kind of programs: how many times the seconds and the memory of C++ Nix are
    needed, from the best program of the kind to the worst."""
    kinds: dict[str, list[Row]] = {}
    for row in results["rows"].values():
        kinds.setdefault(row["kind"], []).append(row)
    heads = ["programs", REFERENCE, *COLUMNS, "memory, warm", "cold"]
    return table(heads, [_summary_line(kind, rows, clock) for kind, rows in kinds.items()])


def _summary_line(kind: str, rows: list[Row], clock: Clock) -> list[str]:
    ratios = [_range([_ratio(row, column, clock) for row in rows]) for column in COLUMNS]
    memory = [_range([_memory_ratio(row, column) for row in rows]) for column in ("warm", "cold")]
    reference = [row["cells"].get(REFERENCE, {}) for row in rows]
    seconds = [cell[clock] for cell in reference if "peak" in cell]
    theirs = f"{mean(seconds):.2f} s" if seconds else "-"
    return [kind, theirs, *ratios, *memory]


def _range(values: Iterable[float | None]) -> str:
    """Such as 1.2-1.9; empty where all is missing."""
    known = sorted([_rounded(value) for value in values if value is not None], key=float)
    if not known:
        return ""
    return known[0] if known[0] == known[-1] else f"{known[0]}-{known[-1]}"


def _rounded(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"
