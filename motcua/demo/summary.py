"""What the demo shows at its end."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from motcua.demo.play import Played
from motcua.sinks.inbox import InboxMessage


def summary(played: Played, dossiers: Sequence[Mapping[str, Any]], inbox: Sequence[InboxMessage]) -> RenderableType:
    """Counts by what people ask first: where the dossiers stand, who received them, what was promised, who was told."""
    return Group(
        _counts("Dossiers by state", Counter(str(dossier["state"]) for dossier in dossiers)),
        _counts("Receiving place", Counter(_place(dossier) for dossier in dossiers)),
        _counts("Promise", Counter(str(dossier["due"]["status"]) for dossier in dossiers)),
        _counts("Acts accepted", played.accepted),
        _counts("In the inbox", Counter(message.channel for message in inbox)),
    )


def example(messages: Iterable[InboxMessage]) -> str | None:
    """One SMS as an applicant got it."""
    return next((message.text for message in messages if message.channel == "sms"), None)


def _place(dossier: Mapping[str, Any]) -> str:
    assignment = dossier["assignment"]
    if assignment is None:
        return "waits: procedure not in the catalogue"
    return "department counters" if assignment["receiving_department"] else "general counter"


def _counts(title: str, counts: Mapping[str, int]) -> RenderableType:
    table = Table(title=title, title_justify="left", box=None, show_header=False, min_width=40)
    table.add_column(width=42)
    table.add_column(justify="right", width=6)
    for name, count in sorted(counts.items(), key=lambda entry: -entry[1]):
        table.add_row(name, f"{count:,}")
    table.add_row("[bold]all[/]", f"[bold]{sum(counts.values()):,}[/]")
    return table
