"""`motcua verify`, and the same at the end of a demo: run the checks, say what was looked at and what is wrong."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from motcua.verify.run import verify
from shared.kernel.centre import Centre

_SHOWN = 50


def run_verify(
    database_url: str, bootstrap: str, centre: Centre, console: Console, *, ledger: Path | None = None
) -> int:
    """Check a centre and print the result. Exit status: 0 if every promise holds, 1 if not, or if the centre
    did not come to rest.

    Raises StartError when database or broker do not answer, or the ledger cannot be read.
    """

    def say(sentence: str) -> None:
        console.print(sentence, markup=False, soft_wrap=True)

    at = urlsplit(database_url)
    say(f"Looking at the centre {centre.code} of Postgres {at.hostname}:{at.port}{at.path} and Kafka {bootstrap}")
    report = asyncio.run(verify(database_url, bootstrap, centre, ledger=ledger, progress=say))
    if report.under_way:
        say(f"NOT AT REST: {report.under_way}. What has not arrived yet may be all that is wrong: look again then.")
    for finding in report.findings[:_SHOWN]:
        say(f"WRONG {finding}")
    if len(report.findings) > _SHOWN:
        say(f"… and {len(report.findings) - _SHOWN} more.")
    ledger_says = f" ({report.in_ledger} in the ledger)" if ledger is not None else ""
    looked_at = (
        f"{report.dossiers} dossiers, {report.facts} facts, {report.answers} answers to acts{ledger_says}, "
        f"{report.alerts} alerts"
    )
    if report.findings:
        say(f"Wrong: {len(report.findings)} things, of {looked_at}.")
    else:
        say(f"{'Not at rest, nothing found wrong' if report.under_way else 'Verified'}: {looked_at}.")
    return 0 if report.holds else 1
