"""What a run of the benchmarks found: plain values that are kept as JSON and rendered afterwards."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity: a value a run, in `unit`. `aim` is what was wanted of the median, where anything was.

    `less_is_better` says on which side of the aim is good.
    """

    values: tuple[float, ...]
    unit: str
    aim: float | None = None
    less_is_better: bool = False

    @property
    def middle(self) -> float:
        """The median of the runs."""
        return median(self.values)

    @property
    def misses(self) -> bool:
        """Whether the median is on the wrong side of the aim."""
        if self.aim is None:
            return False
        return self.middle > self.aim if self.less_is_better else self.middle < self.aim


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was measured, its figures by column, and words that belong to it."""

    name: str
    figures: dict[str, Figure] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under the same columns, and what they stand on. `name` is the table's key in the page."""

    name: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of the benchmarks found. Without tables it was left out, and `skipped` says why."""

    name: str
    seconds: float
    tables: tuple[Table, ...] = ()
    others: tuple[float, ...] = ()
    """Share of the machine's CPU that others took, a value a measurement."""
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """A whole run: `about` says on what machine, with which versions, and when."""

    about: dict[str, str]
    parts: tuple[Part, ...]


def series(runs: Sequence[dict[str, float]], name: str, unit: str, **more: Any) -> Figure:
    """One quantity of several runs."""
    return Figure(tuple(run[name] for run in runs), unit, **more)


def save(results: Results, path: Path) -> None:
    """Write as JSON. Blocks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(results), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> Results:
    """The inverse of `save`. Raises OSError or ValueError for a file that is none."""
    plain = json.loads(path.read_text(encoding="utf-8"))
    return Results(plain["about"], tuple(_part(one) for one in plain["parts"]))


def _part(plain: dict[str, Any]) -> Part:
    tables = tuple(
        Table(
            one["name"],
            tuple(
                Row(
                    row["name"],
                    {name: Figure(tuple(found.pop("values")), **found) for name, found in row["figures"].items()},
                    row["note"],
                )
                for row in one["rows"]
            ),
            tuple(one["notes"]),
        )
        for one in plain["tables"]
    )
    return Part(plain["name"], plain["seconds"], tables, tuple(plain["others"]), plain["skipped"])
