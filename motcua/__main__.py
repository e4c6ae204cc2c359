"""The command `motcua`. Exit status: 0 done, 1 a rule or check failed, 2 usage, 3 environment."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.console import Console

from motcua import lag as lag_reading
from motcua.database import VERIFY, url_for
from motcua.events import events
from motcua.settings import MotcuaSettings
from motcua.up import run_up
from shared.contracts.topics import TOPICS
from shared.kernel.errors import ExpectedError, StartError
from shared.messaging.admin import TopicsDifferError, create_topics
from shared.runtime.settings import load

app = typer.Typer(help="The backbone of a public administrative centre.", no_args_is_help=True, add_completion=False)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@app.callback()
def motcua() -> None:
    """Settings come from the environment, prefix MOTCUA_."""


app.command()(events)


@app.command()
def up() -> None:
    """Run the whole centre on this machine until Ctrl-C."""
    raise typer.Exit(run_up(load(MotcuaSettings), out))


@app.command()
def lag() -> None:
    """How many messages each group is behind, and since when the oldest of them waits."""
    settings = load(MotcuaSettings)
    out.print(lag_reading.table(lag_reading.read(settings.bootstrap, url_for(settings.admin_url, VERIFY))))


@app.command()
def topics(
    bootstrap: Annotated[
        str | None, typer.Option(help="The cluster; default MOTCUA_KAFKA or the local broker.")
    ] = None,
    replication: Annotated[int | None, typer.Option(min=1, help="Copies of each record.")] = None,
) -> None:
    """Create the topics with their partitions and settings; refuse those that differ (status 1)."""
    settings = load(MotcuaSettings)
    where = bootstrap or settings.bootstrap
    try:
        created = asyncio.run(
            create_topics(where, TOPICS.values(), replication=replication or settings.kafka_replication)
        )
    except TopicsDifferError as error:
        err.print(str(error), markup=False)
        raise typer.Exit(1) from error
    for topic in TOPICS.values():
        out.print(f"{topic.name}: {topic.partitions} partitions, {'created' if topic.name in created else 'as wanted'}")


def main() -> None:
    """Run the command; what was expected to go wrong is one sentence on stderr, never a traceback."""
    try:
        app()
    except StartError as error:
        err.print(str(error), markup=False)
        sys.exit(3)
    except ExpectedError as error:
        err.print(error.detail, markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
