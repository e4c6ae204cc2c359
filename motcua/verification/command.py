"""Run all checks and print the result, for `motcua verify` and at the end of a demo."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from motcua.verification.run import verify
from shared.kernel.centre import Centre
from shared.kernel.words import number_of

_MAX_SHOWN = 50


def run_verify(
    database_url: str, bootstrap: str, centre: Centre, console: Console, *, ledger: Path | None = None
) -> int:
    """Run all checks on a centre and print the result. Blocks. `database_url` is that of the read-only role `verify`.

    Return the exit status: 0 if the centre was quiescent and there are no findings, else 1. Raises StartError if the
    database or the broker does not answer, or the ledger cannot be read.
    """

    def print_line(sentence: str) -> None:
        console.print(sentence, markup=False, soft_wrap=True)

    at = urlsplit(database_url)
    print_line(f"Verifying centre {centre.code} on Postgres {at.hostname}:{at.port}{at.path} and Kafka {bootstrap}.")
    report = asyncio.run(verify(database_url, bootstrap, centre, ledger=ledger, progress=print_line))
    if report.pending:
        print_line(f"NOT QUIESCENT: {report.pending} Findings may disappear; run this again when the centre is idle.")
    for finding in report.findings[:_MAX_SHOWN]:
        print_line(f"FINDING {finding}")
    if len(report.findings) > _MAX_SHOWN:
        print_line(f"… and {len(report.findings) - _MAX_SHOWN} more.")
    in_ledger = f" ({report.in_ledger:,} in the ledger)" if ledger is not None else ""
    checked = (
        f"{number_of(report.dossiers, 'dossier')}, {number_of(report.events, 'event')}, "
        f"{number_of(report.answers, 'answer to an act', 'answers to acts')}{in_ledger}, "
        f"{number_of(report.alerts, 'alert')}"
    )
    if report.findings:
        print_line(f"{number_of(len(report.findings), 'finding')} in {checked}.")
        print_line(
            "If findings remain when the centre is idle, stop the named service and preserve its logs and tables."
        )
    else:
        print_line(f"{'Not quiescent, no findings' if report.pending else 'Verified'}: {checked}.")
    return 0 if report.passed else 1
