"""The command line of `motcua simulate`."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load

app = typer.Typer(no_args_is_help=True, help="What other rules would have brought on what came.")


@app.command("general-counter")
def general_counter(
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day.")] = None,
    arrivals: Annotated[
        Path | None, typer.Option(help="CSV: received_at,department,channel,procedure. Left out: routing's own record.")
    ] = None,
    half_year: Annotated[
        bool, typer.Option("--half-year", help="The drawn centre of 2017, without a database.")
    ] = False,
    pool_below: Annotated[str | None, typer.Option(help="8, 6,8,10 or 6..14 (..2): dossiers a week.")] = None,
    release_from: Annotated[str | None, typer.Option(help="As above.")] = None,
    pool_weeks: Annotated[str | None, typer.Option(help="Weeks below, in a row.")] = None,
    release_weeks: Annotated[str | None, typer.Option(help="Weeks above, in a row.")] = None,
    min_stay_weeks: Annotated[str | None, typer.Option(help="Weeks between two changes.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw and the queues.")] = 2017,
    everything: Annotated[
        bool, typer.Option("--all", help="Every setting, not only those that no other beats.")
    ] = False,
    table: Annotated[Path | None, typer.Option(help="Write every setting to this CSV file.")] = None,
    paper: Annotated[Path | None, typer.Option(help="Write one HTML page that a leader could sign.")] = None,
    language: Annotated[str, typer.Option(help="Of the paper: vi or en.")] = "vi",
) -> None:
    """Which departments would have been pooled, officers' hours returned, and how long people would have waited.

    A parameter that is left out stays as in the rule in force.
    """
    from motcua.lab.simulate.command import SimulationRequest, run_simulation
    from motcua.lab.simulate.rule_grid import PARAMETERS
    from motcua.local.database import VERIFY
    from shared.catalogue import load_centre

    if language not in ("vi", "en"):
        raise typer.BadParameter("--language is vi or en")
    given = (pool_below, release_from, pool_weeks, release_weeks, min_stay_weeks)
    request = SimulationRequest(
        first=_date("--from", first),
        last=_date("--to", last),
        arrivals=arrivals,
        half_year=half_year,
        ranges={name: written for name, written in zip(PARAMETERS, given, strict=True) if written is not None},
        seed=seed,
        everything=everything,
        table=table,
        paper=paper,
        language="vi" if language == "vi" else "en",
    )
    settings = load(MotcuaSettings)
    out = Console(highlight=False, emoji=False)
    raise typer.Exit(run_simulation(request, load_centre(settings.centre), settings.database_url(VERIFY), out))


def _date(option: str, written: str | None) -> date | None:
    try:
        return None if written is None else date.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{option} {written!r}: write a date as YYYY-MM-DD") from None
