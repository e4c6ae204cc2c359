"""The summary as one HTML page that needs nothing from outside: charts are drawn as SVG by its template."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from motcua.demo.summary import FEW, Summary, outcomes_by_channel, percent
from motcua.past.half_year.figures import MADE_UP_PEOPLE, Figure
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
        loader=PackageLoader("motcua.demo", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["percent"] = percent
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
