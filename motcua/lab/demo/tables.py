"""The summary as a person in a terminal reads it."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table

from motcua.lab.demo.summary import FEW, Department, Summary, outcomes_by_channel, percent

_WEEKS_THAT_FIT = 7
"""More weeks than these stand on the page alone."""


def tables(summary: Summary) -> Iterator[RenderableType]:
    """Departments with their weeks and promises, messages, who stays below FEW a week, and what the rule proposes."""
    yield _departments(summary)
    yield _messages(summary)
    yield _with_few(summary)
    yield _proposals(summary)


def headline(summary: Summary) -> str:
    """The whole in a sentence."""
    whole = summary.whole
    return (
        f"{summary.dossiers:,} dossiers and {summary.acts.total():,} acts from {summary.first_date} to "
        f"{summary.last_date}: {percent(whole.share)} of {whole.judged:,} settled on time, {whole.late:,} late, "
        f"{whole.overdue:,} open beyond their day, {whole.paused:,} paused now ({whole.was_paused:,} were once)."
    )


def _departments(summary: Summary) -> Table:
    shown = summary.weeks if len(summary.weeks) <= _WEEKS_THAT_FIT else ()
    table = Table(
        title="Dossiers by department and week (Mondays), and their promises",
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
        table.add_row(one.code, *(str(count) for count in one.weeks[: len(shown)]), *_promises(one))
    whole = summary.whole
    sums = (str(count) for count in summary.by_week[: len(shown)])
    ends = (f"{summary.dossiers:,}", percent(whole.share), str(whole.late), str(whole.paused))
    table.add_row("all", *sums, *ends, style="bold")
    return table


def _promises(one: Department) -> tuple[str, ...]:
    kept = one.punctuality
    return (f"{one.dossiers:,}", percent(kept.share), str(kept.late), str(kept.paused))


def _messages(summary: Summary) -> Table:
    table = Table(title="Messages by channel and outcome", title_justify="left", box=None, show_header=False)
    for channel, outcomes in outcomes_by_channel(summary.messages).items():
        for outcome, count in outcomes.items():
            table.add_row(channel, outcome, f"{count:,}")
    return table


def _with_few(summary: Summary) -> Table:
    title = f"Departments under {FEW} a week by counter and post, mean and weeks"
    table = Table(title=title, title_justify="left", box=None, show_header=False)
    for one in summary.with_few:
        table.add_row(one.code, one.name, f"{one.volume:.1f}", f"below in {one.weeks_with_few} of {len(one.volumes)}")
    if not summary.with_few:
        table.add_row("none")
    return table


def _proposals(summary: Summary) -> Table:
    title = f"What the general counter's rule proposes after {summary.closed_weeks} closed weeks; a leader decides"
    table = Table(title=title, title_justify="left", box=None, show_header=False)
    for one in summary.proposals:
        where = "to the general counter" if one.to_general else "back to its own counters"
        volumes = ", ".join(f"{volume:.1f}" for volume in one.volumes)
        table.add_row(one.code, where, f"from {one.coming:%d %b %Y}", f"{volumes} a week")
    if not summary.proposals:
        table.add_row("nothing yet")
    return table
