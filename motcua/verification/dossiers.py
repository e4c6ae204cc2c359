"""Each dossier as intake keeps it is what its events come to: state, code, step, extensions by the table of acts; where
its papers and its result are."""

from collections.abc import Mapping

import asyncpg

from motcua.verification.findings import Finding
from motcua.verification.history import History
from services.intake.domain.whereabouts import Whereabouts
from services.intake.replay import standing, whereabouts
from shared.contracts.topics import DOSSIERS
from shared.kernel.centre import Centre


async def check(connection: asyncpg.Connection, centre: Centre, histories: Mapping[str, History]) -> list[Finding]:
    """Hold every row against its events; no two dossiers carry one code."""
    rows = {
        row["key"]: row
        for row in await connection.fetch(
            "select dossier_id::text as key, state, code, step, extensions, papers_since, papers_counter, "
            "papers_sequence, settled_at, result_at from intake.dossiers"
        )
    }
    findings = []
    carried: dict[str, str] = {}
    for key, kept in histories[DOSSIERS.name].by_key.items():
        events = [one.event() for one in kept]
        stands = standing(events)
        if stands.broken is not None:
            findings.append(Finding("dossier", key, f"its events break the table of acts: {stands.broken}"))
        row = rows.get(key)
        told = (stands.state, stands.code, stands.step, stands.extensions)
        if row is not None and tuple(row)[1:5] != told:
            findings.append(
                Finding("dossier", key, f"intake's row says {_words(*tuple(row)[1:5])}, its events {_words(*told)}")
            )
        if row is not None and (here := Whereabouts(*tuple(row)[5:])) != (by_events := whereabouts(events, centre)):
            findings.append(Finding("papers", key, f"intake's row says {here}, its events {by_events}"))
        if stands.code is not None and carried.setdefault(stands.code, key) != key:
            findings.append(Finding("dossier", key, f"its code {stands.code} is also that of {carried[stands.code]}"))
    return findings


def _words(state: str | None, code: str | None, step: int, extensions: int) -> str:
    return f"{state} {code}, step {step}, extended {extensions} times"
