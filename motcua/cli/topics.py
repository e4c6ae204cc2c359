"""`motcua topics`: create the Kafka topics of a centre."""

from typing import Annotated

import typer

from motcua.cli.console import err, out
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load


def topics(
    bootstrap: Annotated[
        str | None,
        typer.Option(help="Bootstrap servers of the cluster.", show_default="MOTCUA_KAFKA, or the local broker"),
    ] = None,
    replication: Annotated[
        int | None, typer.Option(min=1, help="Replicas of each partition.", show_default="MOTCUA_KAFKA_REPLICATION")
    ] = None,
) -> None:
    """Create the centre's Kafka topics that are missing, with their partitions and settings.

    Existing topics are never changed. Status 1: an existing topic has other settings.
    """
    import asyncio

    from shared.contracts.topics import ALL_TOPICS
    from shared.messaging.admin import TopicsDifferError, create_topics

    settings = load(MotcuaSettings)
    where = bootstrap or settings.bootstrap
    try:
        created = asyncio.run(create_topics(where, ALL_TOPICS, replication=replication or settings.kafka_replication))
    except TopicsDifferError as error:
        err.print(str(error), markup=False)
        raise typer.Exit(1) from error
    for topic in ALL_TOPICS:
        state = "created" if topic.name in created else "exists with the expected settings"
        out.print(f"{topic.name}: {topic.partitions} partitions, {state}")
