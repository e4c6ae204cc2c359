"""Due dates derived again from intake's facts by the pure rules, held against sla's rows and facts."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg

from motcua.verify.findings import Finding
from motcua.verify.history import History, Kept
from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.clock import Deadline
from services.sla.replay import derive
from services.sla.telling import tell
from shared.contracts.deadlines import (
    DeadlineEndedV1,
    DeadlineEvent,
    DeadlineNoneV1,
    DeadlinePausedV1,
    DeadlineSetV1,
    DeadlineWaitingV1,
)
from shared.contracts.dossiers import DossierReceivedV1
from shared.contracts.topics import DEADLINES, DOSSIERS
from shared.kernel.centre import Centre

_COURSE = (DeadlineSetV1, DeadlinePausedV1, DeadlineNoneV1, DeadlineWaitingV1, DeadlineEndedV1)
_BOOKKEEPING = {"dossier_sequence", "generation", "calendar_version"}


async def check(connection: asyncpg.Connection, centre: Centre, histories: Mapping[str, History]) -> list[Finding]:
    """Each clock's state and due date, as kept and as told last, are what its facts come to."""
    calendar = compile_calendar(centre.calendar)
    rows = {
        row["key"]: row
        for row in await connection.fetch(
            "select dossier_id::text as key, state, due_at, waiting_for from sla.dossiers"
        )
    }
    told = histories[DEADLINES.name].by_key
    findings = []
    for key, kept in histories[DOSSIERS.name].by_key.items():
        facts = [one.fact() for one in kept]
        deadline = derive(facts, centre, calendar)
        procedure = next((fact.data.procedure for fact in facts if isinstance(fact.data, DossierReceivedV1)), "")
        findings += _row(key, rows.get(key), deadline)
        findings += _told(key, told.get(key, ()), deadline, procedure, calendar)
    return findings


def _row(key: str, row: asyncpg.Record | None, deadline: Deadline | None) -> list[Finding]:
    derived = (None, None, None) if deadline is None else (deadline.state, deadline.due_at, deadline.waiting_for)
    kept = (None, None, None) if row is None else (row["state"], row["due_at"], row["waiting_for"])
    if kept == derived:
        return []
    return [Finding("deadline", key, f"sla's row says {_words(*kept)}, the rules give {_words(*derived)}")]


def _told(
    key: str, told: Sequence[Kept], deadline: Deadline | None, procedure: str, calendar: Calendar
) -> list[Finding]:
    course = [data for one in told if isinstance(data := one.fact().data, _COURSE)]
    last = course[-1] if course else None
    expected = (
        None
        if deadline is None
        else tell(deadline, procedure=procedure, calendar=calendar, version=0, dossier_sequence=0, generation=0)
    )
    if _plain(last) == _plain(expected):
        return []
    return [Finding("deadline", key, f"sla told {_name(last)}, the rules give {_name(expected)}")]


def _plain(event: DeadlineEvent | None) -> tuple[str, dict[str, object]] | None:
    return None if event is None else (event.TYPE, event.model_dump(exclude=_BOOKKEEPING))


def _name(event: DeadlineEvent | None) -> str:
    due_at = getattr(event, "due_at", None)
    return "nothing" if event is None else event.TYPE + (f" due {due_at.isoformat()}" if due_at else "")


def _words(state: str | None, due_at: datetime | None, waiting_for: str | None) -> str:
    if state is None:
        return "no clock"
    if waiting_for is not None:
        return f"{state}, waiting for {waiting_for}"
    return f"{state}, " + (f"due {due_at.isoformat()}" if due_at else "no due date")
