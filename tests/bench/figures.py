"""Results of a benchmark run as plain values: stored as JSON, rendered as docs/benchmarks.md."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity with one value per run, in `unit`.

    `goal` is the goal for the median, if there is one. With `less_is_better` the goal is an upper limit, otherwise a
    lower one.
    """

    values: tuple[float, ...]
    unit: str
    goal: float | None = None
    less_is_better: bool = False

    @property
    def median(self) -> float:
        """Median of the runs."""
        return median(self.values)

    @property
    def misses_goal(self) -> bool:
        """Whether the median is on the wrong side of the goal. False without a goal."""
        if self.goal is None:
            return False
        return self.median > self.goal if self.less_is_better else self.median < self.goal


@dataclass(frozen=True, slots=True)
class Row:
    """One measured subject: a row of a table, its figures under the column names, and an optional note."""

    name: str
    figures: dict[str, Figure] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with common columns, and notes on their conditions. The page finds the table by `name`."""

    name: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """Results of one part of the benchmarks. A skipped part has no tables, and the reason in `skipped`."""

    name: str
    seconds: float
    tables: tuple[Table, ...] = ()
    other_load: tuple[float, ...] = ()
    """Share of the machine's CPU that unrelated processes used, one value per measurement."""
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """Results of a whole run. `properties` describes the run: date, machine, versions."""

    properties: dict[str, str]
    parts: tuple[Part, ...]


def across_runs(runs: Sequence[dict[str, float]], name: str, unit: str, **more: Any) -> Figure:
    """Collect one quantity of several runs into a figure."""
    return Figure(tuple(run[name] for run in runs), unit, **more)


def save(results: Results, path: Path) -> None:
    """Write the results as JSON. Blocks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(results), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Results:
    """Read results that `save` wrote. Raises OSError or ValueError if the file is missing or not JSON. Blocks."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    return Results(plain["properties"], tuple(_part(part) for part in plain["parts"]))


def _part(plain: dict[str, Any]) -> Part:
    tables = tuple(
        Table(
            table["name"],
            tuple(
                Row(
                    row["name"],
                    {name: Figure(tuple(figure.pop("values")), **figure) for name, figure in row["figures"].items()},
                    row["note"],
                )
                for row in table["rows"]
            ),
            tuple(table["notes"]),
        )
        for table in plain["tables"]
    )
    return Part(plain["name"], plain["seconds"], tables, tuple(plain["other_load"]), plain["skipped"])
