"""Check that every accepted act has its event in intake's history.

Accepted acts are those whose answers intake has stored by idempotency key, and those in a client's ledger: a file in
which the client recorded the answers that it received.
"""

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
    """The 2xx answer to an act: the dossier, and the sequence of the last event that the act published.

    `key` is the idempotency key of the request, or the number of a batch of papers.
    """

    key: str
    dossier_id: str
    sequence: int


async def stored_answers(connection: asyncpg.Connection) -> list[Answer]:
    """Read the answers to acts that intake has stored: one per idempotency key, and one per dossier of each batch."""
    rows = await connection.fetch(
        "select id, subject::text as dossier_id, (answer ->> 'sequence')::bigint as sequence "
        "from intake.idempotency_keys where subject is not null "
        "union all select number, one ->> 'dossier_id', (one ->> 'sequence')::bigint "
        "from intake.hand_overs, jsonb_array_elements(dossiers) as one order by id"
    )
    return [Answer(row["id"], row["dossier_id"], row["sequence"]) for row in rows]


def read_ledger(path: Path) -> list[Answer]:
    """Read a client's ledger: one JSON object per line, with `key`, `dossier_id` and `sequence` of a 2xx answer.

    Raises StartError with file and line of the first fault.
    """
    answers = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"The ledger {path} cannot be read: {error}.") from error
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            answers.append(Answer(str(entry["key"]), str(entry["dossier_id"]), int(entry["sequence"])))
        except (ValueError, KeyError, TypeError) as error:
            raise StartError(
                f"{path}:{number}: expected a JSON object with key, dossier_id and sequence ({error})."
            ) from error
    return answers


def in_history(answers: Iterable[Answer], history: History, *, source: str) -> list[Finding]:
    """Return a finding for each answer whose sequence is higher than the number of the dossier's events in `history`.

    `history` is that of intake. `source` names the origin of the answers, for the finding's sentence.
    """
    findings = []
    for answer in answers:
        events = history.by_key.get(answer.dossier_id, [])
        if len(events) < answer.sequence:
            findings.append(
                Finding(
                    "act",
                    answer.dossier_id,
                    f"{source} has event {answer.sequence} for key {answer.key}, but intake's history {len(events)}.",
                )
            )
    return findings
