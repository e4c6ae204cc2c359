"""docs/benchmarks.md from the results of a run: pure, so that the page can be made again from the file alone."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.bench.figures import Figure, Part, Results, Row, Table
from tests.bench.ratios import ratios


def page(results: Results) -> str:
    """The whole page. A part that was not measured at all is said to be left out."""
    folder = FileSystemLoader(Path(__file__).parent)
    words = Environment(loader=folder, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    found = {part.name: part for part in results.parts}

    def told(name: str, **heads: str) -> str:
        return _part(found.get(name, Part(name, 0.0, skipped="not asked for")), heads)

    beside = ratios(results)
    return words.get_template("page.md.j2").render(
        about=_about(results), part=told, ratios=table(Table("ratios", beside)) if beside else ""
    )


def table(found: Table) -> str:
    """Its rows under every column that any of them has."""
    columns = list(dict.fromkeys(name for row in found.rows for name in row.figures))
    units = {name: row.figures[name].unit for row in found.rows for name in row.figures}
    heads = ["", *(name if name.startswith(units[name]) else f"{name}, {units[name]}" for name in columns)]
    rows = [[row.name, *(_cell(row, name) for name in columns)] for row in found.rows]
    return _lines([heads, ["---", *("---:" for _ in columns)], *rows])


def cell(figure: Figure) -> str:
    """The median, in brackets the least and the most where there were several runs, and the aim with its fate."""
    told = number(figure.middle)
    if len(figure.values) > 1:
        told += f" ({number(min(figure.values))}–{number(max(figure.values))})"
    if figure.aim is not None:
        told += f"; aim {number(figure.aim)} {'missed' if figure.misses else 'met'}"
    return told


def number(value: float) -> str:
    """With as many digits as mean something: whole from 100 on, one behind the point from 10 on, else two."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def dated(at: datetime) -> str:
    """The instant of a run, for its page."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _about(results: Results) -> str:
    parts = ", ".join(f"{part.name} {part.seconds:.0f} s" for part in results.parts)
    return _lines([("what", "found"), ("---", "---"), *results.about.items(), ("Parts", parts)])


def _part(part: Part, heads: dict[str, str]) -> str:
    """Its tables, each under its own words (by the last word of its name), and what they stand on."""
    if part.skipped:
        return f"Left out in this run: {part.skipped}."
    blocks = []
    for one in part.tables:
        head = heads.get(one.name.rsplit(" ", 1)[-1])
        blocks += [head] if head else []
        blocks += [table(one), *one.notes]
    if part.others:
        blocks.append(f"Others took {_share(part.others)} of the machine's CPU meanwhile.")
    return "\n\n".join(blocks)


def _share(values: Sequence[float]) -> str:
    least, most = (f"{share * 100:.0f} %" for share in (min(values), max(values)))
    return least if least == most else f"{least} to {most}"


def _cell(row: Row, column: str) -> str:
    return cell(row.figures[column]) if column in row.figures else "–"


def _lines(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
