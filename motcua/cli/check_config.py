"""`motcua check-config`: validate a centre's folder."""

from pathlib import Path
from typing import Annotated

import typer

from motcua.cli.console import err, print_lines
from motcua.local.settings import MotcuaSettings
from shared.kernel.errors import StartError
from shared.runtime.settings import load


def check_config(
    folder: Annotated[Path | None, typer.Argument(help="The centre's folder.", show_default="MOTCUA_CENTRE")] = None,
) -> None:
    """Validate a centre's folder, then its message texts.

    Lists every fault with file, line and remedy; the message texts are checked once the rest has no fault. Status 1: at
    least one fault.
    """
    from services.notify.texts import load_texts
    from shared.catalogue import load_centre

    where = folder or load(MotcuaSettings).centre
    try:
        centre = load_centre(where)
        load_texts(centre)
    except StartError as error:
        err.print(str(error), markup=False)
        raise typer.Exit(1) from error
    print_lines([f"{where} is valid: {centre.name_vi}, catalogue_version {centre.catalogue_version}."])
