"""The command `motcua`. Exit status: 0 done, 1 a rule or check failed, 2 usage, 3 environment."""

import asyncio
import sys
from typing import Annotated

import typer
from rich.console import Console

from motcua.settings import MotcuaSettings
from shared.contracts.topics import TOPICS
from shared.kernel.errors import ExpectedError, StartError
from shared.messaging.admin import TopicsDifferError, create_topics

app = typer.Typer(help="The backbone of a public administrative centre.", no_args_is_help=True, add_completion=False)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@app.callback()
def motcua() -> None:
    """Settings come from the environment, prefix MOTCUA_."""


@app.command()
def topics(
    bootstrap: Annotated[
        str | None, typer.Option(help="The cluster; default MOTCUA_KAFKA or the local broker.")
    ] = None,
    replication: Annotated[int | None, typer.Option(min=1, help="Copies of each record.")] = None,
) -> None:
    """Create the topics with their partitions and settings; refuse those that differ (status 1)."""
    settings = MotcuaSettings()
    where = bootstrap or settings.kafka or f"127.0.0.1:{settings.kafka_port}"
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
