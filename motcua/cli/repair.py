"""`motcua repair`: repair what a service lost on Kafka."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from motcua.cli.console import err, out, print_lines
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load

if TYPE_CHECKING:
    from shared.messaging.log_repair import LogRepair, Plan

app = typer.Typer(help="Repair what a service lost.", no_args_is_help=True)


@app.command("log")
def repair_log(
    service: Annotated[str, typer.Argument(help="Service that writes the damaged topics.")],
    yes: Annotated[bool, typer.Option("--yes", help="Repair without asking.")] = False,
) -> None:
    """Publish again the events of a service that Kafka lost, and have its readers read the damaged partitions again.

    Shows what it will do and asks first. May be run again. Kafka and the database must run; the centre may. Status 1:
    the log cannot be repaired in this way, or the answer is no.
    """
    from motcua.cli.quarantine import require_service
    from motcua.local.database import unavailable
    from shared.contracts.topics import TOPICS
    from shared.messaging.log_repair import LogRepair, ReaderGroup, RepairRefusedError

    settings = load(MotcuaSettings)
    topics = [topic for topic in TOPICS.values() if topic.owner == require_service(service)]
    names = sorted({str(reader) for topic in topics for reader in topic.readers} - {"ops"})
    readers = [ReaderGroup(name, name, settings.database_url(name)) for name in names]
    repair = LogRepair(
        service, topics, bootstrap=settings.bootstrap, url=settings.database_url(service), readers=readers
    )
    try:
        done = asyncio.run(_repair(service, repair, yes=yes))
    except RepairRefusedError as error:
        err.print(str(error), markup=False)
        raise typer.Exit(1) from error
    except OSError as error:
        raise unavailable(error) from error
    raise typer.Exit(0 if done else 1)


async def _repair(service: str, repair: "LogRepair", *, yes: bool) -> bool:
    """Show the plan, ask, and execute it. Return False if the answer is no."""
    out.print(f"Reading the topics of {service} …")
    async with repair:
        plan = await repair.plan()
        if plan.is_empty:
            out.print("Nothing to repair: Kafka has every event, and every reader is where it should be.")
            return True
        print_lines(_described(service, plan))
        if not yes and not typer.confirm("Repair now?"):
            return False
        await repair.execute(plan)
    out.print("Done. Restart the readers whose partitions have stopped, then run `motcua verify`.")
    out.print("The live views count from Kafka: stop ops, run `python -m services.ops rebuild`, and start it again.")
    return True


def _described(service: str, plan: "Plan") -> list[str]:
    lines = [f"{service} is halted: {plan.halted}"] if plan.halted else [f"{service} is not halted."]
    lines.append(f"{len(plan.lost)} events are published again, before all others.")
    lines += [
        f"{reader.group} reads {reader.place[0]} partition {reader.place[1]} again from the start, instead of from "
        f"offset {reader.next_offset}; it drops what it has applied."
        for reader in plan.readers
    ]
    return lines
