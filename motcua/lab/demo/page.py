"""The summary as one HTML page that needs nothing from outside: charts are drawn as SVG by its template."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from motcua.lab.demo.summary import FEW, Summary, outcomes_by_channel, percent
from motcua.lab.scenarios.half_year.parameters import MADE_UP_PEOPLE, Figure
from shared.kernel.centre import Centre


def write_page(
    path: Path,
    summary: Summary,
    centre: Centre,
    *,
    seed: int,
    figures: Sequence[Figure],
    checks: Sequence[str],
    wrong: Sequence[str],
) -> None:
    """Write the page. `checks` are sentences of what was held against what, `wrong` what differs."""
    environment = Environment(
        loader=PackageLoader("motcua.lab.demo", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["percent"] = percent
    environment.filters["value"] = _value
    page = environment.get_template("page.html.j2").render(
        summary=summary,
        centre=centre,
        seed=seed,
        few=FEW,
        channels=outcomes_by_channel(summary.messages),
        figures=figures,
        made_up_people=MADE_UP_PEOPLE,
        checks=checks,
        wrong=wrong,
    )
    path.write_text(page, encoding="utf-8")


def _value(value: Any) -> str:
    """A figure's value in words: numbers with thousands set apart, tables and series entry by entry."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_value(each)}" for name, each in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(_value, value))
    if isinstance(value, timedelta):
        return f"{value / timedelta(minutes=1):g} min"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)
