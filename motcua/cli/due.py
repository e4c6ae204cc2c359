"""`motcua due`: calculate one due date from options, or one for each line of a JSON Lines file."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from motcua.cli.console import print_lines
from motcua.local.settings import MotcuaSettings
from services.sla.explanations.sentences import Lang
from shared.kernel.centre import Counting, Term, TermUnit
from shared.runtime.settings import load

_INSTANTS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S%z"]


def due(
    received: Annotated[
        datetime | None,
        typer.Option(
            formats=_INSTANTS,
            metavar="INSTANT",
            help="When the dossier was received, such as 2026-11-30T09:00; local time unless it has an offset.",
            show_default="now",
        ),
    ] = None,
    procedure: Annotated[str | None, typer.Option(help="Code of a procedure in the catalogue.")] = None,
    term: Annotated[
        int | None, typer.Option(min=0, help="Length of a term, with --unit; instead of --procedure.")
    ] = None,
    unit: Annotated[TermUnit | None, typer.Option(help="Unit of --term; same_day needs no --term.")] = None,
    counting: Annotated[Counting, typer.Option(help="How working days are counted.")] = "by_hours",
    cut_off: Annotated[
        datetime | None,
        typer.Option(
            formats=["%H:%M"],
            metavar="HH:MM",
            help="Time of day after which a dossier counts from the next working day.",
        ),
    ] = None,
    calendar: Annotated[
        str | None, typer.Option(help="Name of a calendar of the centre.", show_default="the centre's own")
    ] = None,
    as_known_at: Annotated[
        datetime | None,
        typer.Option(
            formats=_INSTANTS, metavar="INSTANT", help="Ignore changes of the calendar that became known later."
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="List every day, counted or skipped, with the reason.")
    ] = False,
    lang: Annotated[Lang, typer.Option(help="Language of the explanation.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print the explanation as JSON.")] = False,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Read one case per line as JSON, and answer each line.")
    ] = False,
    file: Annotated[
        Path | None, typer.Argument(help="File of cases for --jsonl.", show_default="standard input")
    ] = None,
) -> None:
    """Calculate one due date by the centre's calendar, or with --jsonl one for each input line (docs/deadlines.md).

    Needs --procedure, or --term with --unit. Status 1: no due date can be calculated.
    """
    from shared.catalogue import load_centre

    if jsonl:
        from motcua.due.lines import answer_lines

        if received or procedure or unit or term is not None or cut_off or calendar or as_known_at or as_json:
            raise typer.BadParameter("With --jsonl each line describes its own case: leave the other options out.")
        answer_lines(file, lambda: load_centre(load(MotcuaSettings).centre), explain_in=lang if explain else None)
        return
    if file is not None:
        raise typer.BadParameter("A file of cases needs --jsonl.")
    if (procedure is None) == (term is None and unit is None):
        raise typer.BadParameter("Use either --procedure, or --term with --unit.")
    own = _term(term, unit, counting, cut_off) if procedure is None else None
    from motcua.due import single
    from shared.runtime.clock import machine_now

    centre = load_centre(load(MotcuaSettings).centre)
    rules = single.rules_of(centre, calendar)
    at, known_at = (single.in_zone(each, rules) for each in (received, as_known_at))
    found, compiled = single.calculate(
        centre,
        rules,
        at or machine_now().replace(second=0, microsecond=0),
        procedure=procedure,
        term=own,
        as_known_at=known_at,
    )
    sentences = single.describe(found, compiled)
    if explain or as_json:
        from services.sla.domain.explanation import explain as explain_deadline
        from services.sla.explanations.schemas import explanation_view

        explanation = explanation_view(explain_deadline(found, compiled, known_at), lang)
        if as_json:
            typer.echo(explanation.model_dump_json(by_alias=True))
            return
        sentences = iter(explanation.sentences)
    print_lines(sentences)


def _term(value: int | None, unit: TermUnit | None, counting: Counting, cut_off: datetime | None) -> Term:
    """Build the term from --term, --unit, --counting and --cut-off. Raises BadParameter if they do not fit together."""
    if unit is None or (value is None and unit != "same_day"):
        raise typer.BadParameter("A term is a number with its unit, such as --term 5 --unit working_day.")
    try:
        return Term(value or 0, unit, counting, cut_off.time() if cut_off else None)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
