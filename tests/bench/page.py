"""Render docs/benchmarks.md from the results of a run. Pure, so the page can be rendered from a results file."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.bench.figures import Figure, Part, Results, Row, Table
from tests.bench.ratios import ratios


def page(results: Results) -> str:
    """Render the whole page. A part without results is shown as skipped."""
    folder = FileSystemLoader(Path(__file__).parent)
    templates = Environment(loader=folder, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    parts = {part.name: part for part in results.parts}

    def render_part(name: str, **captions: str) -> str:
        return _part(parts.get(name, Part(name, 0.0, skipped="not selected")), captions)

    ratio_rows = ratios(results)
    return templates.get_template("page.md.j2").render(
        properties=_properties(results),
        part=render_part,
        ratios=table(Table("ratios", ratio_rows)) if ratio_rows else "",
    )


def table(content: Table) -> str:
    """Render a table with every column that any of its rows has."""
    columns = list(dict.fromkeys(name for row in content.rows for name in row.figures))
    units = {name: row.figures[name].unit for row in content.rows for name in row.figures}
    heads = ["", *(name if name.startswith(units[name]) else f"{name}, {units[name]}" for name in columns)]
    rows = [[row.name, *(_cell(row, name) for name in columns)] for row in content.rows]
    return _lines([heads, ["---", *("---:" for _ in columns)], *rows])


def cell(figure: Figure) -> str:
    """Render the median, the minimum and maximum of several runs in brackets, and whether the goal is met."""
    text = number(figure.median)
    if len(figure.values) > 1:
        text += f" ({number(min(figure.values))}–{number(max(figure.values))})"
    if figure.goal is not None:
        text += f"; goal {number(figure.goal)} {'missed' if figure.misses_goal else 'met'}"
    return text


def number(value: float) -> str:
    """Format a number: whole from 100 on and for whole numbers, one decimal place from 10 on, otherwise two."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def format_date(at: datetime) -> str:
    """Format the start of a run."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _properties(results: Results) -> str:
    parts = ", ".join(f"{part.name} {part.seconds:.0f} s" for part in results.parts)
    return _lines([("property", "value"), ("---", "---"), *results.properties.items(), ("Parts", parts)])


def _part(part: Part, captions: dict[str, str]) -> str:
    """Render the tables of a part with their notes. The last word of a table's name selects its caption."""
    if part.skipped:
        return f"Skipped in this run: {part.skipped}."
    blocks = []
    for content in part.tables:
        caption = captions.get(content.name.rsplit(" ", 1)[-1])
        blocks += [caption] if caption else []
        blocks += [table(content), *content.notes]
    if part.other_load:
        blocks.append(f"Unrelated processes used {_share(part.other_load)} of the machine's CPU during this part.")
    return "\n\n".join(blocks)


def _share(values: Sequence[float]) -> str:
    least, most = (f"{share * 100:.0f} %" for share in (min(values), max(values)))
    return least if least == most else f"{least} to {most}"


def _cell(row: Row, column: str) -> str:
    return cell(row.figures[column]) if column in row.figures else "–"


def _lines(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
