"""Every act that was accepted is in intake's history: by intake's own keys, and by the client's ledger of answers."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from motcua.verification.findings import Finding
from motcua.verification.history import History
from shared.kernel.errors import StartError


@dataclass(frozen=True, slots=True)
class Answer:
    """An act's answer with a 2xx status: the dossier, and the last sequence that the act told."""

    key: str
    dossier_id: str
    sequence: int


async def known_answers(connection: asyncpg.Connection) -> list[Answer]:
    """What intake keeps by idempotency key, one for each dossier of a batch of papers."""
    rows = await connection.fetch(
        "select id, subject::text as dossier_id, (answer ->> 'sequence')::bigint as sequence "
        "from intake.idempotency_keys where subject is not null "
        "union all select number, one ->> 'dossier_id', (one ->> 'sequence')::bigint "
        "from intake.hand_overs, jsonb_array_elements(dossiers) as one order by id"
    )
    return [Answer(row["id"], row["dossier_id"], row["sequence"]) for row in rows]


def read_ledger(path: Path) -> list[Answer]:
    """A client's ledger: one JSON object a line, with `key`, `dossier_id` and `sequence` of each 2xx answer.

    Raises StartError with file and line for anything else.
    """
    answers = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"the ledger {path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            answers.append(Answer(str(entry["key"]), str(entry["dossier_id"]), int(entry["sequence"])))
        except (ValueError, KeyError, TypeError) as error:
            raise StartError(
                f"{path} line {number}: expected an object with key, dossier_id and sequence ({error})"
            ) from error
    return answers


def in_history(answers: Iterable[Answer], history: History, *, whose: str) -> list[Finding]:
    """Each answer's event is kept."""
    findings = []
    for answer in answers:
        events = history.by_key.get(answer.dossier_id, [])
        if len(events) < answer.sequence:
            findings.append(
                Finding(
                    "act",
                    answer.dossier_id,
                    f"{whose} has key {answer.key} answered with event {answer.sequence}, intake keeps {len(events)}",
                )
            )
    return findings
