"""Rebuild each dossier from its events and compare it with intake's row.

Compared are state, code, step, extensions, and where the papers and the result are.
"""

from collections.abc import Mapping

import asyncpg

from motcua.verification.findings import Finding
from motcua.verification.history import History
from services.intake.domain.dossier import Dossier
from services.intake.dossiers.rebuild import rebuild
from shared.contracts.topics import DOSSIERS
from shared.kernel.centre import Centre


async def check(connection: asyncpg.Connection, centre: Centre, histories: Mapping[str, History]) -> list[Finding]:
    """Compare every row of intake with the dossier's events, and search for codes that two dossiers have.

    Return the findings. Events that contradict the table of acts are also findings; a missing row is not.
    """
    rows = {
        row["key"]: row
        for row in await connection.fetch(
            "select dossier_id::text as key, state, code, step, extensions, papers_waiting_since, papers_counter, "
            "papers_sent_sequence, settled_at, result_at from intake.dossiers"
        )
    }
    findings = []
    codes: dict[str, str] = {}
    for key, stored in histories[DOSSIERS.name].by_key.items():
        events = [one.event() for one in stored]
        rebuilt = rebuild(events, centre)
        dossier = rebuilt.dossier
        if rebuilt.broken is not None:
            findings.append(Finding("dossier", key, f"its events contradict the table of acts: {rebuilt.broken}."))
        row = rows.get(key)
        by_events = (dossier.state, dossier.code, dossier.step, dossier.extensions)
        if row is not None and tuple(row)[1:5] != by_events:
            findings.append(
                Finding(
                    "dossier",
                    key,
                    f"intake's row has {_words(*tuple(row)[1:5])}, but its events give {_words(*by_events)}.",
                )
            )
        if row is not None and rebuilt.broken is None and (place := tuple(row)[5:]) != (expected := _papers(dossier)):
            findings.append(Finding("papers", key, f"intake's row has {place}, but its events give {expected}."))
        if dossier.code is not None and codes.setdefault(dossier.code, key) != key:
            findings.append(
                Finding("dossier", key, f"its code {dossier.code} is also the code of {codes[dossier.code]}.")
            )
    return findings


def _papers(dossier: Dossier) -> tuple[object, ...]:
    return (
        dossier.papers_waiting_since,
        dossier.papers_counter,
        dossier.papers_sent_sequence,
        dossier.settled_at,
        dossier.result_at,
    )


def _words(state: str | None, code: str | None, step: int, extensions: int) -> str:
    return f"{state} {code}, step {step}, extended {extensions} times"
