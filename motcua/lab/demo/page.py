"""The summary as one self-contained HTML page. Its template draws the charts as SVG."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from motcua.lab.demo.summary import FEW, Summary, outcomes_by_channel, percent
from motcua.lab.scenarios.half_year.parameters import INVENTED_PEOPLE, Parameter
from shared.kernel.centre import Centre


def write_page(
    path: Path,
    summary: Summary,
    centre: Centre,
    *,
    seed: int,
    parameters: Sequence[Parameter],
    checks: Sequence[str],
    wrong: Sequence[str],
) -> None:
    """Write the page to a file. `checks` are sentences on what was compared, `wrong` those on the differences."""
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
        parameters=parameters,
        invented_people=INVENTED_PEOPLE,
        checks=checks,
        wrong=wrong,
    )
    path.write_text(page, encoding="utf-8")


def _value(value: Any) -> str:
    """Return a parameter's value as text: integers with separators of thousands, tables and series entry by entry."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_value(each)}" for name, each in value.items())
    if isinstance(value, tuple):
        return ", ".join(map(_value, value))
    if isinstance(value, timedelta):
        return f"{value / timedelta(minutes=1):g} min"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)
