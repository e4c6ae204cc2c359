"""`motcua simulate`: simulate other pooling rules on the dossiers that arrived in the past."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load

app = typer.Typer(no_args_is_help=True, help="Simulate the effect of other rules on past arrivals.")


@app.command("general-counter")
def general_counter(
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="First day, YYYY-MM-DD.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last day.")] = None,
    arrivals: Annotated[
        Path | None,
        typer.Option(
            help="CSV file with received_at,department,channel,procedure.", show_default="the history of routing"
        ),
    ] = None,
    half_year: Annotated[
        bool, typer.Option("--half-year", help="Use the simulated centre of 2017; needs no database.")
    ] = False,
    pool_below: Annotated[str | None, typer.Option(help="Pool below this number of dossiers per week.")] = None,
    release_from: Annotated[str | None, typer.Option(help="Release from this number of dossiers per week.")] = None,
    pool_weeks: Annotated[str | None, typer.Option(help="Number of consecutive weeks below, before pooling.")] = None,
    release_weeks: Annotated[
        str | None, typer.Option(help="Number of consecutive weeks above, before a release.")
    ] = None,
    min_stay_weeks: Annotated[str | None, typer.Option(help="Minimum number of weeks between two changes.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random arrivals and queues.")] = 2017,
    everything: Annotated[
        bool, typer.Option("--all", help="Show every combination, not only the Pareto-optimal ones.")
    ] = False,
    table: Annotated[Path | None, typer.Option(help="Write every combination to this CSV file.")] = None,
    paper: Annotated[Path | None, typer.Option(help="Write a decision paper as one HTML page.")] = None,
    language: Annotated[str, typer.Option(help="Language of the paper: vi or en.")] = "vi",
) -> None:
    """Simulate pooling rules of the general counter: pooled departments, officer hours saved, and waiting times.

    Each rule parameter is a number (8), a list (6,8,10) or a range with an optional step (6..14 or 6..14..2).
    A parameter that is not given has the value of the rule in force.
    """
    from motcua.lab.simulate.command import SimulationRequest, run_simulation
    from motcua.lab.simulate.rule_grid import PARAMETERS
    from motcua.local.database import VERIFY
    from shared.catalogue import load_centre

    if language not in ("vi", "en"):
        raise typer.BadParameter("--language must be vi or en.")
    values = (pool_below, release_from, pool_weeks, release_weeks, min_stay_weeks)
    request = SimulationRequest(
        first=_date("--from", first),
        last=_date("--to", last),
        arrivals=arrivals,
        half_year=half_year,
        ranges={name: written for name, written in zip(PARAMETERS, values, strict=True) if written is not None},
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
        raise typer.BadParameter(f"{option} {written!r} is not a date such as 2017-04-28.") from None
