"""Wait until a centre is quiescent, then run all checks in order."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from motcua.local.database import unavailable
from motcua.local.quiescence import NotQuiescentError, wait_until_quiescent
from motcua.verification import acts, alerts, assignments, deadlines, dossiers, history, readers
from motcua.verification.findings import Finding
from motcua.verification.history import History
from shared.contracts.topics import CALENDARS, DOSSIERS, TOPICS, Topic
from shared.kernel.centre import Centre

QUIESCENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, and the numbers of checked dossiers, events, answers to acts (stored, in the ledger) and alerts.

    `pending` describes the work because of which the centre was not quiescent, or is None. Pending work can cause
    findings that disappear later.
    """

    findings: tuple[Finding, ...]
    pending: str | None
    dossiers: int
    events: int
    answers: int
    in_ledger: int
    alerts: int

    @property
    def passed(self) -> bool:
        """True if the centre was quiescent and there are no findings."""
        return self.pending is None and not self.findings


async def verify(
    database_url: str,
    bootstrap: str,
    centre: Centre,
    *,
    ledger: Path | None = None,
    quiescence_seconds: float = QUIESCENCE_SECONDS,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Wait up to `quiescence_seconds` until the centre is quiescent, then run all checks in any case; return a report.

    `database_url` is that of the read-only role `verify`. Raises StartError if the database or the broker does not
    answer, or the ledger cannot be read.
    """
    ledger_answers = acts.read_ledger(ledger) if ledger is not None else []
    try:
        connection = await asyncpg.connect(database_url, timeout=10)
    except (OSError, asyncpg.PostgresError) as error:
        raise unavailable(error) from error
    try:
        progress(f"Waiting until the centre is quiescent, at most {quiescence_seconds:.0f} s.")
        pending = await _pending_work(database_url, bootstrap, quiescence_seconds)
        findings: list[Finding] = []
        histories: dict[str, History] = {}
        for topic in TOPICS.values():
            progress(f"Comparing {topic.name} with the history of {topic.owner}.")
            histories[topic.name] = await history.load(connection, topic)
            findings += history.undecodable(histories[topic.name])
            findings += history.gapless(histories[topic.name], await _last_sequences(connection, topic))
            findings += await history.on_kafka(bootstrap, histories[topic.name])
        progress("Checking accepted acts.")
        stored = await acts.stored_answers(connection)
        findings += acts.in_history(stored, histories[DOSSIERS.name], source="intake")
        findings += acts.in_history(ledger_answers, histories[DOSSIERS.name], source="the ledger")
        progress("Checking the fences of every consumer.")
        for reader in readers.READERS:
            findings += await readers.fences(connection, reader, histories[reader.topic.name])
        for service in readers.SERVICES:
            findings += await readers.quarantined(connection, service)
            findings += await readers.set_aside(connection, service)
        progress("Rebuilding every dossier from its events.")
        findings += await dossiers.check(connection, centre, histories)
        progress("Deriving due dates and thresholds again.")
        findings += await deadlines.check(connection, centre, histories)
        progress("Deciding assignments again.")
        findings += await assignments.check(connection, centre, histories)
        progress("Checking the alert of every event that requires one.")
        required, missing = await alerts.check(connection, histories)
        findings += missing
    finally:
        await connection.close()
    return Report(
        tuple(sorted(set(findings))),
        pending,
        dossiers=len(histories[DOSSIERS.name].by_key),
        events=sum(len(one.by_id) for one in histories.values()),
        answers=len(stored),
        in_ledger=len(ledger_answers),
        alerts=required,
    )


async def _pending_work(database_url: str, bootstrap: str, seconds: float) -> str | None:
    try:
        await asyncio.to_thread(wait_until_quiescent, bootstrap, database_url, within_seconds=seconds)
    except NotQuiescentError as error:
        return str(error)
    return None


async def _last_sequences(connection: asyncpg.Connection, topic: Topic) -> dict[str, int]:
    """Read the last sequence that the topic's owner has stored in the row of each record key."""
    table, key = ("calendars", "name") if topic == CALENDARS else ("dossiers", "dossier_id")
    rows = await connection.fetch(f"select {key}::text as key, sequence from {topic.owner}.{table}")
    return {row["key"]: row["sequence"] for row in rows}
