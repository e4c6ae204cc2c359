"""Each dossier as intake keeps it is what its facts come to by the table of acts: state, code, step, extensions."""

from collections.abc import Mapping

import asyncpg

from motcua.verify.findings import Finding
from motcua.verify.history import History
from services.intake.replay import standing
from shared.contracts.topics import DOSSIERS


async def check(connection: asyncpg.Connection, histories: Mapping[str, History]) -> list[Finding]:
    """Hold every row against its facts; no two dossiers carry one code."""
    rows = {
        row["key"]: row
        for row in await connection.fetch(
            "select dossier_id::text as key, state, code, step, extensions from intake.dossiers"
        )
    }
    findings = []
    carried: dict[str, str] = {}
    for key, kept in histories[DOSSIERS.name].by_key.items():
        stands = standing(one.fact() for one in kept)
        if stands.broken is not None:
            findings.append(Finding("dossier", key, f"its facts break the table of acts: {stands.broken}"))
        row = rows.get(key)
        told = (stands.state, stands.code, stands.step, stands.extensions)
        if row is not None and tuple(row)[1:] != told:
            findings.append(
                Finding("dossier", key, f"intake's row says {_words(*tuple(row)[1:])}, its facts {_words(*told)}")
            )
        if stands.code is not None and carried.setdefault(stands.code, key) != key:
            findings.append(Finding("dossier", key, f"its code {stands.code} is also that of {carried[stands.code]}"))
    return findings


def _words(state: str | None, code: str | None, step: int, extensions: int) -> str:
    return f"{state} {code}, step {step}, extended {extensions} times"
