"""`motcua lag`: the command with its options; the module `motcua.cli.lag` reads and formats the lag."""

from typing import Annotated

import typer

from motcua.cli.console import err, out
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load


def lag(
    partitions: Annotated[bool, typer.Option("--partitions", help="Show one line per partition.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh the table until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, as `GET /lag` of ops does.")] = False,
    alarm_age: Annotated[
        float | None, typer.Option(min=0, help="In seconds. Status 1 if a record or event has been pending for longer.")
    ] = None,
) -> None:
    """Show lag, throughput and catch-up time of each consumer group, from two samples two seconds apart.

    Status 1: a record or event is older than --alarm-age. Status 3: Kafka or the database does not answer.
    """
    import asyncio
    from contextlib import suppress
    from functools import partial

    from motcua.cli import lag as lag_reading
    from motcua.local.database import OPS
    from services.ops.lag.report import alarms

    if watch and (as_json or alarm_age is not None):
        raise typer.BadParameter("--watch cannot be combined with --json or --alarm-age.")
    settings = load(MotcuaSettings)
    places = (settings.bootstrap, settings.database_url(OPS))
    if watch:
        with suppress(KeyboardInterrupt):
            asyncio.run(lag_reading.watch(*places, out, partial(lag_reading.tables, by_partition=partitions)))
        return
    report = asyncio.run(lag_reading.read(*places))
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        out.print(lag_reading.tables(report, by_partition=partitions))
    found = alarms(report, age_seconds=alarm_age) if alarm_age is not None else []
    for sentence in found:
        err.print(sentence, markup=False)
    lag_reading.require_broker(report)
    if found:
        raise typer.Exit(1)
