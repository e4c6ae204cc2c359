"""Calendars of sla's own: begun from the configuration, changed by approved proposals, followed by all replicas."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from pydantic import TypeAdapter

from services.sla.calendar_store import CALENDARS, CalendarRow
from services.sla.domain.calendar import Calendar, compile_calendar, rules_known_at
from services.sla.domain.changes import differences
from services.sla.handlers import SLA, Clocks, Version
from shared.contracts.calendars import CalendarPublishedV1, PublishedException
from shared.contracts.envelope import Actor
from shared.kernel.calendar_rules import CalendarRules
from shared.kernel.errors import StartError
from shared.postgres.outbox import Cause
from shared.postgres.pool import Connection
from shared.postgres.unit_of_work import Unit
from shared.service.process import Context

CALENDAR_PUBLISHED = "calendar_published"
_TRIES = 3
_RULES = TypeAdapter(CalendarRules)

log = structlog.get_logger(__name__)


def as_document(rules: CalendarRules) -> dict[str, Any]:
    """A calendar's rules as they are kept: plain JSON values."""
    document: dict[str, Any] = _RULES.dump_python(rules, mode="json")
    return document


def from_document(document: dict[str, Any]) -> CalendarRules:
    """The rules that `as_document` wrote down."""
    return _RULES.validate_python(document)


def as_event(calendar: Calendar, version: int, decision: str | None) -> CalendarPublishedV1:
    """The compiled calendar as it travels; `decision` is the document by which this version came."""
    rules, worktime = calendar.rules, calendar.worktime
    return CalendarPublishedV1(
        name=rules.name,
        version=version,
        zone=rules.zone,
        first_date=rules.first_date,
        last_date=rules.last_date,
        standard_day_seconds=int(calendar.standard_day.total_seconds()),
        opens=tuple(int(instant.timestamp()) for instant in worktime.opens),
        closes=tuple(int(instant.timestamp()) for instant in worktime.closes),
        exceptions=tuple(
            PublishedException(
                date=each.on,
                kind=each.kind,
                decided_by=each.decided_by,
                known_from=each.known_from,
                status=each.status,
            )
            for each in rules.exceptions
        ),
        decision=decision,
    )


def digest_of(calendar: Calendar) -> str:
    """Equal for calendars that say the same, whatever their version."""
    event = as_event(calendar, version=0, decision=calendar.rules.decision)
    return hashlib.sha256(event.model_dump_json().encode()).hexdigest()


def publish(
    unit: Unit[CalendarRow],
    row: CalendarRow,
    calendar: Calendar,
    *,
    decision: str | None,
    actor: Actor,
    proposal_id: UUID | None = None,
) -> None:
    """Make it the next version of its locked row, in force from now on, and tell it."""
    now, name = unit.recorded_at, calendar.rules.name
    row.version += 1
    row.digest = digest_of(calendar)
    row.rules = as_document(calendar.rules)
    _note(row, calendar.rules, decision, now, None if proposal_id is None else actor.id, proposal_id)
    cause_id = f"calendar|{name}|{row.version}|{row.digest}"
    causation = cause_id if proposal_id is None else str(proposal_id)
    cause = Cause(id=cause_id, actor=actor, recorded_at=now, correlation=cause_id, causation=causation)
    unit.publish(row, as_event(calendar, row.version, decision), time=now, cause=cause)
    log.info(CALENDAR_PUBLISHED, calendar=name, version=row.version, decision=decision)


def _note(
    row: CalendarRow,
    rules: CalendarRules,
    decision: str | None,
    now: datetime,
    decided_by: str | None = None,
    proposal_id: UUID | None = None,
) -> None:
    version = {
        "version": row.version,
        "decision": decision,
        "since": now.isoformat(),
        "exceptions": len(rules.exceptions),
        "last_date": rules.last_date.isoformat(),
        "decided_by": decided_by,
        "proposal_id": None if proposal_id is None else str(proposal_id),
    }
    row.history = [*row.history, version]


async def begin(context: Context) -> CalendarRow:
    """The centre's calendar as it stands; at the first start the configuration's, which is published. Commits.

    Raises StartError when the configuration says something else than at the first start.
    Replicas that start together meet at the row: the later one finds it published.
    """
    given = context.centre.calendar
    kept = await context.pool.fetch("select name from calendars where seed is not null and name <> $1", given.name)
    if kept:
        raise StartError(
            f"sla keeps the calendar {kept[0]['name']} since its first start, and the first line of calendars.csv is "
            f"now {given.name}: put {kept[0]['name']} first again; the calendar of a centre at work changes by a "
            "proposal (docs/calendars.md)"
        )
    for left in reversed(range(_TRIES)):
        try:
            async with context.unit(CALENDARS, [given.name]) as (_, unit):
                row = unit.row(given.name)
                if row.seed is None:
                    _seed(unit, row, given)
                else:
                    _require_same(given, from_document(row.seed))
        except asyncpg.UniqueViolationError:  # another replica published the first version meanwhile
            if not left:
                raise
        else:
            return row
    raise AssertionError("the last try returns or raises")


def _seed(unit: Unit[CalendarRow], row: CalendarRow, given: CalendarRules) -> None:
    row.seed = as_document(given)
    calendar = compile_calendar(given)
    if row.digest != digest_of(calendar):
        publish(unit, row, calendar, decision=given.decision, actor=SLA)
    else:  # published by a release that kept no rules yet
        row.rules = row.seed
        _note(row, given, given.decision, unit.recorded_at)


def _require_same(given: CalendarRules, seed: CalendarRules) -> None:
    found = differences(given, seed)
    if found:
        raise StartError(
            f"calendar {given.name} was edited in calendars.csv or calendars/{given.name}.csv after the centre's first "
            f"start, and such an edit changes nothing any more: {'; '.join(found)}. Restore these lines, and enter the "
            f"change as a proposal instead: POST /calendars/{given.name}/proposals (docs/calendars.md)"
        )


def versions_of(history: Iterable[Mapping[str, Any]]) -> tuple[Version, ...]:
    """A calendar's versions as its row keeps them, oldest first."""
    return tuple(
        Version(
            each["version"],
            each["decision"] or "",
            datetime.fromisoformat(each["since"]),
            each["exceptions"],
            date.fromisoformat(each["last_date"]),
        )
        for each in history
    )


def of_version(rules: CalendarRules, history: Iterable[Version], number: int) -> CalendarRules:
    """The rules as they were in that version; those in force for one from before sla kept any."""
    return next((each.of(rules) for each in history if each.number == number), rules)


def known_at(rules: CalendarRules, history: Sequence[Version], instant: datetime) -> CalendarRules:
    """The rules as they were known at an instant: what became known later is left out, and so is a later prolonging."""
    stood = next((each for each in reversed(history) if each.since <= instant), history[0] if history else None)
    known = rules_known_at(rules, instant)
    return known if stood is None or stood.last_date == known.last_date else replace(known, last_date=stood.last_date)


async def follow(clocks: Clocks, connection: "Connection | asyncpg.Pool") -> None:
    """Let these clocks go by the calendar that stands, compiled anew if it changed (some 20 ms of work).

    In a transaction that decides on dossiers it is read after their rows were locked: whoever wrote a row by a version
    had read that version committed, so no row is decided by an older version than it was written by.
    """
    name = clocks.calendar.rules.name
    version = await connection.fetchval("select version from calendars where name = $1", name)
    if version == clocks.version:
        return
    row = await CALENDARS.read(connection, name)
    if row is None or row.rules is None or row.version <= clocks.version:
        return  # somebody else here was faster
    clocks.follow(compile_calendar(from_document(row.rules)), row.version, versions_of(row.history))
