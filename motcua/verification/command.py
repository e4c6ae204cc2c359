"""`motcua verify`, and the same at the end of a demo: run the checks, say what was looked at and what is wrong."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from motcua.verification.run import verify
from shared.kernel.centre import Centre
from shared.kernel.words import number_of

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
    ledger_says = f" ({report.in_ledger:,} in the ledger)" if ledger is not None else ""
    looked_at = (
        f"{number_of(report.dossiers, 'dossier')}, {number_of(report.events, 'event')}, "
        f"{number_of(report.answers, 'answer to an act', 'answers to acts')}{ledger_says}, "
        f"{number_of(report.alerts, 'alert')}"
    )
    if report.findings:
        say(f"Wrong: {number_of(len(report.findings), 'thing')}, of {looked_at}.")
    else:
        say(f"{'Not at rest, nothing found wrong' if report.under_way else 'Verified'}: {looked_at}.")
    return 0 if report.holds else 1
