"""`motcua demo`: a simulated half year in a new centre."""

from typing import Annotated

import typer

from motcua.cli.console import out
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load


def demo(
    weeks: Annotated[int, typer.Option(min=1, max=27, help="Number of weeks to play, at full volume.")] = 6,
    ops: Annotated[bool, typer.Option("--ops", help="Also start the operations page.")] = False,
) -> None:
    """Play up to 27 simulated weeks of 2017 through a new centre, verify the result, and stop the centre.

    The dossiers are generated at random from a fixed seed. Status 1: the result is not the expected one.
    """
    from motcua.lab.demo.command import run_demo
    from motcua.lab.scenarios.half_year.scenario import HalfYear
    from shared.catalogue import load_centre

    settings = load(MotcuaSettings)
    raise typer.Exit(run_demo(settings, out, HalfYear(load_centre(settings.centre), weeks=weeks), ops=ops))
