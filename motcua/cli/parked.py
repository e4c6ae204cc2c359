"""`motcua parked`: list quarantined records and rows that are set aside, and decide about them."""

import asyncio
import os
import pwd
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from motcua.cli.console import out, print_lines
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load

if TYPE_CHECKING:
    from shared.messaging.quarantine import OperatorDecision

app = typer.Typer(
    help="List quarantined records and rows that are set aside, and decide about them.", no_args_is_help=True
)

T = TypeVar("T")

Service = Annotated[str, typer.Argument(help="Service that has the record: intake, routing, sla or notify.")]
PlaceText = Annotated[str, typer.Argument(help="Topic/partition/offset, as `motcua parked list` shows it.")]
RowText = Annotated[str, typer.Argument(help="Table/key, as `motcua parked list` shows it.")]
By = Annotated[str | None, typer.Option(help="Who decides.", show_default="the account on this machine")]


@app.command("list")
def list_quarantined() -> None:
    """List the quarantined records of all services, up to 200 of each; those that need a decision come first.

    Then list the rows that workers have set aside because a decision about them fails.
    """
    from motcua.cli.quarantine import describe_rows, describe_set_aside, quarantined, rows_set_aside
    from motcua.local.database import SERVICES, VERIFY

    settings = load(MotcuaSettings)
    found = {service: _run(quarantined(settings.database_url(VERIFY), service)) for service in SERVICES}
    for service, rows in found.items():
        print_lines(describe_rows(service, rows))
    if not any(found.values()):
        out.print("No quarantined records.")
    for service in SERVICES:
        print_lines(describe_set_aside(service, _run(rows_set_aside(settings.database_url(VERIFY), service))))


@app.command()
def show(service: Service, place: PlaceText) -> None:
    """Show one quarantined record: key, headers, reason and value. Events contain no personal data."""
    from motcua.cli.quarantine import Place, describe, find, require_service
    from motcua.local.database import VERIFY

    settings = load(MotcuaSettings)
    record = _run(find(settings.database_url(VERIFY), require_service(service), Place.parse(place)))
    print_lines(describe(record))


@app.command()
def replay(service: Service, place: PlaceText, by: By = None) -> None:
    """Request that the service applies the record again: its cause is fixed, or this side of a fork is the right one.

    The service does so usually within seconds.
    """
    _decide(service, place, "replay", by)


@app.command()
def discard(service: Service, place: PlaceText, by: By = None) -> None:
    """Request that the service skips the record for good, and then applies the records that are blocked behind it.

    The service does so usually within seconds.
    """
    _decide(service, place, "discard", by)


@app.command()
def release(service: Service, row: RowText) -> None:
    """Let the workers of the service claim a row again that was set aside: its cause is fixed.

    If the decision about it fails again, it is set aside again.
    """
    from motcua.cli.quarantine import RowName, require_service
    from motcua.cli.quarantine import release as release_row

    settings = load(MotcuaSettings)
    _run(release_row(settings.database_url(require_service(service)), service, RowName.parse(row)))
    print_lines([f"Released: {row} in {service}."])


def _decide(service: str, place: str, decision: "OperatorDecision", by: str | None) -> None:
    from motcua.cli.quarantine import Place, decide, require_service

    settings = load(MotcuaSettings)
    who = by or pwd.getpwuid(os.getuid()).pw_name
    _run(decide(settings.database_url(require_service(service)), service, Place.parse(place), decision, by=who))
    print_lines([f"Requested: {decision} {place} in {service}. `motcua parked list` shows whether it is done."])


def _run(query: Coroutine[Any, Any, T]) -> T:
    import asyncpg

    from motcua.local.database import unavailable
    from shared.kernel.errors import StartError

    try:
        return asyncio.run(query)
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise unavailable(error) from error
    except (asyncpg.UndefinedTableError, asyncpg.InvalidCatalogNameError) as error:
        raise StartError(f"The database is not prepared ({error}). Run `motcua prepare` or `motcua up`.") from error
