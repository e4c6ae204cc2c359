"""The command line of `motcua parked`; what it needs is loaded when it is asked for."""

import asyncio
import os
import pwd
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load

if TYPE_CHECKING:
    from shared.messaging.quarantine import OperatorDecision

app = typer.Typer(help="Records that wait: list, show, replay or discard them.", no_args_is_help=True)
out = Console(highlight=False)

T = TypeVar("T")

Service = Annotated[str, typer.Argument(help="Whose record: intake, routing, sla or notify.")]
Where = Annotated[str, typer.Argument(help="Topic/partition/offset, as `list` shows it.")]
By = Annotated[str | None, typer.Option(help="Who decides; default: this machine's account.")]


@app.command("list")
def list_held() -> None:
    """Everything that waits, in every service; what blocks comes first."""
    from motcua.cli.parked_records import listed, waiting
    from motcua.local.database import SERVICES, VERIFY

    settings = load(MotcuaSettings)
    found = {service: _run(waiting(settings.database_url(VERIFY), service)) for service in SERVICES}
    for service, rows in found.items():
        for line in listed(service, rows):
            out.print(line, markup=False, soft_wrap=True)
    if not any(found.values()):
        out.print("Nothing waits.")


@app.command()
def show(service: Service, place: Where) -> None:
    """One record with its headers and its value (no personal data travels)."""
    from motcua.cli.parked_records import Place, find, known, told
    from motcua.local.database import VERIFY

    settings = load(MotcuaSettings)
    record = _run(find(settings.database_url(VERIFY), known(service), Place.parse(place)))
    for line in told(record):
        out.print(line, markup=False, soft_wrap=True)


@app.command()
def replay(service: Service, place: Where, by: By = None) -> None:
    """Apply the record as it stands: its cause is mended, or a fork is to be believed."""
    _decide(service, place, "replay", by)


@app.command()
def discard(service: Service, place: Where, by: By = None) -> None:
    """Pass over the record for good; what waits behind it follows."""
    _decide(service, place, "discard", by)


def _decide(service: str, place: str, decision: "OperatorDecision", by: str | None) -> None:
    from motcua.cli.parked_records import Place, decide, known

    settings = load(MotcuaSettings)
    who = by or pwd.getpwuid(os.getuid()).pw_name
    _run(decide(settings.database_url(known(service)), service, Place.parse(place), decision, by=who))
    out.print(f"Noted: {decision} {place} in {service}. `motcua parked list` shows when it is done.", markup=False)


def _run(asked: Coroutine[Any, Any, T]) -> T:
    import asyncpg

    from motcua.local.database import away
    from shared.kernel.errors import StartError

    try:
        return asyncio.run(asked)
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise away(error) from error
    except (asyncpg.UndefinedTableError, asyncpg.InvalidCatalogNameError) as error:
        raise StartError(f"The database is not prepared ({error}): run `motcua prepare` or `motcua up`.") from error
