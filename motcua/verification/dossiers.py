"""Each dossier as intake keeps it is what its events come to: state, code, step, extensions by the table of acts; where
its papers and its result are."""

from collections.abc import Mapping

import asyncpg

from motcua.verification.findings import Finding
from motcua.verification.history import History
from services.intake.domain.dossier import Dossier
from services.intake.dossiers.rebuild import rebuild
from shared.contracts.topics import DOSSIERS
from shared.kernel.centre import Centre


async def check(connection: asyncpg.Connection, centre: Centre, histories: Mapping[str, History]) -> list[Finding]:
    """Hold every row against its events; no two dossiers carry one code."""
    rows = {
        row["key"]: row
        for row in await connection.fetch(
            "select dossier_id::text as key, state, code, step, extensions, papers_waiting_since, papers_counter, "
            "papers_sent_sequence, settled_at, result_at from intake.dossiers"
        )
    }
    findings = []
    carried: dict[str, str] = {}
    for key, kept in histories[DOSSIERS.name].by_key.items():
        events = [one.event() for one in kept]
        rebuilt = rebuild(events, centre)
        dossier = rebuilt.dossier
        if rebuilt.broken is not None:
            findings.append(Finding("dossier", key, f"its events break the table of acts: {rebuilt.broken}"))
        row = rows.get(key)
        by_events = (dossier.state, dossier.code, dossier.step, dossier.extensions)
        if row is not None and tuple(row)[1:5] != by_events:
            findings.append(
                Finding("dossier", key, f"intake's row has {_words(*tuple(row)[1:5])}, its events {_words(*by_events)}")
            )
        if row is not None and rebuilt.broken is None and (here := tuple(row)[5:]) != (papers := _papers(dossier)):
            findings.append(Finding("papers", key, f"intake's row has {here}, its events {papers}"))
        if dossier.code is not None and carried.setdefault(dossier.code, key) != key:
            findings.append(Finding("dossier", key, f"its code {dossier.code} is also that of {carried[dossier.code]}"))
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
