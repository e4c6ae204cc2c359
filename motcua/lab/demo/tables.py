"""The summary of the demo as tables for the terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table

from motcua.lab.demo.summary import FEW, Department, Summary, outcomes_by_channel, percent

_WEEKS_THAT_FIT = 7
"""The most weeks that the table shows. The page shows all."""


def tables(summary: Summary) -> Iterator[RenderableType]:
    """Yield the tables for the terminal: departments by week, messages, departments below FEW, and proposals."""
    yield _departments(summary)
    yield _messages(summary)
    yield _with_few(summary)
    yield _proposals(summary)


def headline(summary: Summary) -> str:
    """Return the totals of the summary, with the punctuality, as one sentence."""
    whole = summary.whole
    return (
        f"{summary.dossiers:,} dossiers and {summary.acts.total():,} acts from {summary.first_date} to "
        f"{summary.last_date}: {percent(whole.share)} of {whole.judged:,} settled on time, {whole.late:,} late, "
        f"{whole.overdue:,} open and overdue, {whole.paused:,} paused now ({whole.was_paused:,} at any time)."
    )


def _departments(summary: Summary) -> Table:
    shown = summary.weeks if len(summary.weeks) <= _WEEKS_THAT_FIT else ()
    table = Table(
        title="Dossiers by department and week (Mondays), and their punctuality",
        title_justify="left",
        box=None,
        padding=(0, 1, 0, 0),  # seven weeks fit into eighty columns
    )
    table.add_column("", no_wrap=True)
    for week in shown:
        table.add_column(f"{week:%d.%m}", justify="right", no_wrap=True)
    for title in ("all", "on time", "late", "paused"):
        table.add_column(title, justify="right", no_wrap=True)
    for one in summary.departments:
        table.add_row(one.code, *(str(count) for count in one.weeks[: len(shown)]), *_punctuality(one))
    whole = summary.whole
    sums = (str(count) for count in summary.by_week[: len(shown)])
    ends = (f"{summary.dossiers:,}", percent(whole.share), str(whole.late), str(whole.paused))
    table.add_row("all", *sums, *ends, style="bold")
    return table


def _punctuality(one: Department) -> tuple[str, ...]:
    found = one.punctuality
    return (f"{one.dossiers:,}", percent(found.share), str(found.late), str(found.paused))


def _messages(summary: Summary) -> Table:
    table = Table(title="Messages by channel and outcome", title_justify="left", box=None, show_header=False)
    for channel, outcomes in outcomes_by_channel(summary.messages).items():
        for outcome, count in outcomes.items():
            table.add_row(channel, outcome, f"{count:,}")
    return table


def _with_few(summary: Summary) -> Table:
    title = f"Departments below {FEW} dossiers per week by counter and post: mean, and weeks below {FEW}"
    table = Table(title=title, title_justify="left", box=None, show_header=False)
    for one in summary.with_few:
        table.add_row(one.code, one.name, f"{one.volume:.1f}", f"{one.weeks_with_few} of {len(one.volumes)}")
    if not summary.with_few:
        table.add_row("none")
    return table


def _proposals(summary: Summary) -> Table:
    title = f"Proposals of the general counter's rule after {summary.closed_weeks} closed weeks (a leader decides)"
    table = Table(title=title, title_justify="left", box=None, show_header=False)
    for one in summary.proposals:
        where = "to the general counter" if one.to_general else "back to its own counters"
        volumes = ", ".join(f"{volume:.1f}" for volume in one.volumes)
        table.add_row(one.code, where, f"from {one.earliest_from:%d %b %Y}", f"{volumes} per week")
    if not summary.proposals:
        table.add_row("none yet")
    return table
