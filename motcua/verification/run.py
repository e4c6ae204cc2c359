"""All checks, in order, over a quiet centre."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from motcua.local.database import away
from motcua.local.quiescence import NotQuietError, wait_until_quiet
from motcua.verification import acts, alerts, assignments, deadlines, dossiers, history, readers
from motcua.verification.findings import Finding
from motcua.verification.history import History
from shared.contracts.topics import CALENDARS, DOSSIERS, TOPICS, Topic
from shared.kernel.centre import Centre

QUIET_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and everything that is wrong; `under_way` tells what kept the centre from coming to rest, for
    then whatever has not arrived looks wrong, too."""

    findings: tuple[Finding, ...]
    under_way: str | None
    dossiers: int
    events: int
    answers: int
    in_ledger: int
    alerts: int

    @property
    def holds(self) -> bool:
        """Whether the centre came to rest with every promise kept."""
        return self.under_way is None and not self.findings


async def verify(
    database_url: str,
    bootstrap: str,
    centre: Centre,
    *,
    ledger: Path | None = None,
    quiet_seconds: float = QUIET_SECONDS,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Check a centre through the read-only role. Waits up to `quiet_seconds` until everything under way has arrived.

    Raises StartError when database or broker do not answer, or the ledger cannot be read.
    """
    answered = acts.read_ledger(ledger) if ledger is not None else []
    try:
        connection = await asyncpg.connect(database_url, timeout=10)
    except (OSError, asyncpg.PostgresError) as error:
        raise away(error) from error
    try:
        progress(f"Waiting until nothing is under way, at most {quiet_seconds:.0f} s")
        under_way = await _at_work(database_url, bootstrap, quiet_seconds)
        findings: list[Finding] = []
        histories: dict[str, History] = {}
        for topic in TOPICS.values():
            progress(f"Holding {topic.name} against {topic.owner}'s history")
            histories[topic.name] = await history.load(connection, topic)
            findings += history.undecodable(histories[topic.name])
            findings += history.gapless(histories[topic.name], await _told(connection, topic))
            findings += await history.on_kafka(bootstrap, histories[topic.name])
        progress("Looking at the accepted acts")
        known = await acts.known_answers(connection)
        findings += acts.in_history(known, histories[DOSSIERS.name], whose="intake")
        findings += acts.in_history(answered, histories[DOSSIERS.name], whose="the ledger")
        progress("Looking at every reader's fences")
        for reader in readers.READERS:
            findings += await readers.fences(connection, reader, histories[reader.topic.name])
        for service in readers.SERVICES:
            findings += await readers.held(connection, service)
        progress("Moving every dossier through its events")
        findings += await dossiers.check(connection, centre, histories)
        progress("Deriving due dates anew")
        findings += await deadlines.check(connection, centre, histories)
        progress("Deciding receiving places anew")
        findings += await assignments.check(connection, centre, histories)
        progress("Looking for the alert of every event that calls for one")
        planned, missing = await alerts.check(connection, histories)
        findings += missing
    finally:
        await connection.close()
    return Report(
        tuple(sorted(set(findings))),
        under_way,
        dossiers=len(histories[DOSSIERS.name].by_key),
        events=sum(len(one.by_id) for one in histories.values()),
        answers=len(known),
        in_ledger=len(answered),
        alerts=planned,
    )


async def _at_work(database_url: str, bootstrap: str, seconds: float) -> str | None:
    try:
        await asyncio.to_thread(wait_until_quiet, bootstrap, database_url, within_seconds=seconds)
    except NotQuietError as error:
        return str(error)
    return None


async def _told(connection: asyncpg.Connection, topic: Topic) -> dict[str, int]:
    """The last sequence that the owner's row of each key says it told."""
    table, key = ("calendars", "name") if topic == CALENDARS else ("dossiers", "dossier_id")
    rows = await connection.fetch(f"select {key}::text as key, sequence from {topic.owner}.{table}")
    return {row["key"]: row["sequence"] for row in rows}
