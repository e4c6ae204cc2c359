"""`motcua events`, also `python -m motcua.cli.events`: check or write the files that are generated from the code."""

from typing import Annotated

import typer


def events(
    rewrite: Annotated[bool, typer.Option("--write", help="Write the files instead of checking them.")] = False,
) -> None:
    """Check that the event catalogue, the list of problems and the frozen schemas match the code.

    Status 1: a file differs, or a change would break a frozen schema.
    """
    from motcua.cli.event_files import ROOT, check, write

    faults = write(ROOT) if rewrite else check(ROOT)
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(events)
