"""`motcua replay`: play an event log through a separate centre."""

from pathlib import Path
from typing import Annotated

import typer

from motcua.cli.console import out, print_lines
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load


def replay(
    file: Annotated[Path, typer.Argument(help="Event log: .csv, .csv.gz, .xes or .xes.gz.")],
    mapping: Annotated[Path | None, typer.Option(help="Mapping of the log's columns to acts (docs/replay.md).")] = None,
    centre: Annotated[
        Path | None, typer.Option(help="The centre's folder.", show_default="the folder of the mapping")
    ] = None,
    suggest_mapping: Annotated[bool, typer.Option(help="Print a first draft of a mapping, and stop.")] = False,
    delimiter: Annotated[str, typer.Option(help="Delimiter of the CSV file, for --suggest-mapping.")] = ",",
    check: Annotated[bool, typer.Option("--check", help="Only check the log; do not play it.")] = False,
    ops: Annotated[bool, typer.Option("--ops", help="Also start the operations page.")] = False,
) -> None:
    """Play an event log through a separate centre, and compare the log's deadlines with the calculated ones.

    A log with faults is rejected as a whole, with the line of each fault (status 1).
    Playing the same log again changes nothing.
    """
    from motcua.lab import replay as log_replay

    if suggest_mapping:
        typer.echo(log_replay.mapping_draft(file, delimiter=delimiter), nl=False)
        return
    if mapping is None:
        raise typer.BadParameter("Use --mapping, or --suggest-mapping for a first draft of one.")
    found = log_replay.load_plan(file, mapping, centre)
    if not check:
        from motcua.lab.replay.command import run_replay

        raise typer.Exit(run_replay(load(MotcuaSettings), out, found, file, centre or mapping.parent, ops=ops))
    print_lines(log_replay.plan_report(found, file))
    out.print("The log was only checked, not played.")
