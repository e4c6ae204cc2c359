"""`motcua verify`, and the same at the end of a demo: run the checks, say what was looked at and what is wrong."""

import asyncio
from pathlib import Path

from rich.console import Console

from motcua.verify.run import verify
from shared.kernel.centre import Centre

_SHOWN = 50


def run_verify(
    database_url: str, bootstrap: str, centre: Centre, console: Console, *, ledger: Path | None = None
) -> int:
    """Check a centre and print the result. Exit status: 0 if every promise holds, 1 if not.

    Raises StartError when database or broker do not answer, or the ledger cannot be read.
    """

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, soft_wrap=True)

    report = asyncio.run(verify(database_url, bootstrap, centre, ledger=ledger, progress=say))
    for finding in report.findings[:_SHOWN]:
        say(f"WRONG {finding}")
    if len(report.findings) > _SHOWN:
        say(f"… and {len(report.findings) - _SHOWN} more.")
    ledger_says = f" ({report.in_ledger} in the ledger)" if ledger is not None else ""
    looked_at = (
        f"{report.dossiers} dossiers, {report.facts} facts, {report.answers} answers to acts{ledger_says}, "
        f"{report.alerts} alerts"
    )
    say(f"{len(report.findings)} things are wrong in {looked_at}." if report.findings else f"Verified: {looked_at}.")
    return 1 if report.findings else 0
