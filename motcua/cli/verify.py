"""`motcua verify`: check a centre's data against the rules."""

from pathlib import Path
from typing import Annotated

import typer

from motcua.cli.console import out
from motcua.local.settings import MotcuaSettings
from shared.runtime.settings import load


def verify(
    ledger: Annotated[
        Path | None,
        typer.Option(help="Responses that a client received: JSON lines with key, dossier_id and sequence."),
    ] = None,
) -> None:
    """Verify that no event is lost, duplicated or out of order, and that every decision follows from the rules.

    Reads the database and Kafka; changes nothing. Status 1: at least one finding, or work is still pending after 30 s.
    """
    from motcua.local.database import VERIFY
    from motcua.verification.command import run_verify
    from shared.catalogue import load_centre

    settings = load(MotcuaSettings)
    verify_url = settings.database_url(VERIFY)
    raise typer.Exit(run_verify(verify_url, settings.bootstrap, load_centre(settings.centre), out, ledger=ledger))
