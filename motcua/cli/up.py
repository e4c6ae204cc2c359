"""`motcua up`: the whole centre on this machine."""

import typer

from motcua.cli.console import out
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load


def up() -> None:
    """Run the whole centre on this machine until Ctrl-C."""
    from motcua.local.up import run_up

    raise typer.Exit(run_up(load(MotcuaSettings), out))
