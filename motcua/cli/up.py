"""`motcua up`: run a whole centre on this machine."""

import typer

from motcua.cli.console import out
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load


def up() -> None:
    """Run a whole centre on this machine until Ctrl-C: Kafka, Postgres, the services and sinks for SMS and e-mail."""
    from motcua.local.up import run_up

    raise typer.Exit(run_up(load(MotcuaSettings), out))
