"""`motcua inbox`: the messages that applicants received."""

from typing import Annotated

import typer

from motcua.cli.console import print_lines
from motcua.local.settings import MotcuaSettings
from shared.kernel.words import number_of
from shared.runtime.settings import load


def inbox(
    dossier: Annotated[
        str | None, typer.Argument(help="Id or code of a dossier; without it, the messages of all dossiers.")
    ] = None,
) -> None:
    """Show the SMS and e-mail messages that applicants received, from the inbox in MOTCUA_HOME."""
    from motcua.cli.inbox_messages import describe, messages
    from shared.catalogue import load_centre

    settings = load(MotcuaSettings)
    found = messages(settings.home, settings.http_port, dossier)
    print_lines(describe(found, load_centre(settings.centre).zone))
    print_lines([f"{number_of(len(found), 'message')} in {settings.home.resolve() / 'inbox'}."])
