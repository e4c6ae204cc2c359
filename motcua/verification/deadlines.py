"""Due dates derived again from intake's events by the pure rules, held against sla's rows and events.

The calendar is the one that sla keeps, with the changes that were approved: the configuration only began it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import asyncpg

from motcua.verification.findings import Finding
from motcua.verification.history import History
from motcua.verification.thresholds import by_the_rules, kept_and_told, told_of
from services.sla.calendars.events import calendar_event
from services.sla.calendars.store import rules_from_document, versions_from_documents
from services.sla.clocks.events import BOOKKEEPING, deadline_event
from services.sla.clocks.store import fired_of
from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.clock import Deadline
from services.sla.domain.rules import catalogue_digest
from services.sla.domain.thresholds import Threshold, thresholds
from services.sla.rebuild import rebuild_deadline
from shared.contracts.deadlines import (
    DeadlineEndedV1,
    DeadlineEvent,
    DeadlineMovedV1,
    DeadlineNoneV1,
    DeadlinePausedV1,
    DeadlineSetV1,
    DeadlineWaitingV1,
)
from shared.contracts.dossiers import DossierReceivedV1
from shared.contracts.envelope import AnyEnvelope
from shared.contracts.topics import CALENDARS, DEADLINES, DOSSIERS
from shared.kernel.centre import Centre

_NEVER = datetime.min.replace(tzinfo=UTC) + timedelta(days=1)
_SURELY_TOLD = timedelta(minutes=10)
"""Whatever came so long before the last event that sla told was sla's to tell."""
_ROWS = """
select dossier_id::text as key, state, due_at, waiting_for, rules_digest, calendar_version, fired::text,
    next_threshold_at, coalesce((fences -> $1 ->> 2)::boolean, false) as held
from sla.dossiers
"""
_COURSE = (DeadlineSetV1, DeadlinePausedV1, DeadlineNoneV1, DeadlineWaitingV1, DeadlineEndedV1)


@dataclass(frozen=True, slots=True)
class KeptClock:
    """What sla's row says of a clock, and by which rules and which version of the calendar it was derived; `fired` and
    `next_at` are its thresholds, which nothing tells while a record is `held`."""

    state: str | None
    due_at: datetime | None
    waiting_for: str | None
    rules: str | None
    calendar_version: int
    fired: tuple[Threshold, ...] = ()
    next_at: datetime | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What due dates are derived by today. `name` is the terms' in sla's rows, `version` the calendar's; `older` are
    all of its versions."""

    centre: Centre
    calendar: Calendar
    name: str
    version: int
    older: Mapping[int, Calendar] = field(default_factory=dict)


async def check(connection: asyncpg.Connection, centre: Centre, histories: Mapping[str, History]) -> list[Finding]:
    """Each clock's state and due date, as kept and as told last, are what its events come to by the calendar in force,
    and that is the one which was published; its thresholds were told, once, and the next one will be."""
    name = centre.calendar.name
    kept_calendar = await connection.fetchrow("select version, rules, history from sla.calendars where name = $1", name)
    if kept_calendar is None or kept_calendar["rules"] is None:
        return [Finding("calendar", name, "sla keeps no rules of it: it has not started with this release yet")]
    calendar, version = (
        compile_calendar(rules_from_document(json.loads(kept_calendar["rules"]))),
        kept_calendar["version"],
    )
    history = json.loads(kept_calendar["history"])
    older = {each.number: compile_calendar(each.of(calendar.rules)) for each in versions_from_documents(history)}
    rules = Rules(centre, calendar, catalogue_digest(centre), version, older)
    rows = {row["key"]: _kept(row) for row in await connection.fetch(_ROWS, DOSSIERS.name)}
    told = histories[DEADLINES.name].by_key
    published = histories[CALENDARS.name].by_key.get(name, ())
    expected = calendar_event(calendar, version, history[-1]["decision"])
    findings = []
    if not published or published[-1].event().data != expected:
        findings.append(Finding("calendar", name, f"what sla published last is not its version {version}"))
    until = max((one[-1].event().recordedtime for one in told.values()), default=_NEVER) - _SURELY_TOLD
    for key, kept in histories[DOSSIERS.name].by_key.items():
        theirs, envelopes = [one.event() for one in told.get(key, ())], [one.event() for one in kept]
        course = [envelope.data for envelope in theirs if isinstance(envelope.data, _COURSE)]
        findings += moves_of(key, course)
        findings += findings_of(key, envelopes, rows.get(key), course[-1] if course else None, rules)
        findings += thresholds_of(key, envelopes, rows.get(key), theirs, rules, until)
    return findings


def findings_of(
    key: str, envelopes: Sequence[AnyEnvelope], kept: KeptClock | None, last: DeadlineEvent | None, rules: Rules
) -> list[Finding]:
    """What is wrong with one clock: `events` are intake's, `last` is what sla told last of the clock's course.

    A clock that ended for good keeps the judgement of its time. The calendar of that version is at hand; other terms
    are not, and there row and event are only held against each other.
    """
    calendar = rules.calendar
    if kept is not None and kept.state == "ended" and kept.waiting_for is None:
        if kept.rules != rules.name:
            return _by_older_rules(key, kept, last)
        calendar = rules.older.get(kept.calendar_version, calendar)
    deadline = rebuild_deadline(envelopes, rules.centre, calendar)
    return _row(key, kept, deadline) + _told(key, last, deadline, procedure_of(envelopes), calendar)


def thresholds_of(
    key: str,
    envelopes: Sequence[AnyEnvelope],
    kept: KeptClock | None,
    told: Sequence[AnyEnvelope],
    rules: Rules,
    until: datetime,
) -> list[Finding]:
    """What is wrong with one clock's thresholds: `events` are intake's, `told` are sla's, which was at work at `until`.

    Row and events are held against each other, those of an open clock against the rules, too.
    """
    if kept is None:
        return []
    found = told_of(told)
    sentences = found.wrong + kept_and_told(kept.fired, found)
    of_today = (kept.rules, kept.calendar_version) == (rules.name, rules.version)
    deadline = rebuild_deadline(envelopes, rules.centre, rules.calendar) if of_today else None
    if deadline is not None:
        on = rules.centre.local_date(deadline.received_at)
        steps = rules.centre.steps_of(procedure_of(envelopes), on)
        expected = thresholds(deadline, rules.centre.thresholds(on), rules.calendar, steps)
        sentences += by_the_rules(expected, found, kept.next_at, None if kept.held else until)
    return [Finding("threshold", key, sentence) for sentence in sentences]


def procedure_of(envelopes: Sequence[AnyEnvelope]) -> str:
    """The procedure of a dossier that was received; empty for one that was not."""
    return next((envelope.data.procedure for envelope in envelopes if isinstance(envelope.data, DossierReceivedV1)), "")


def moves_of(key: str, course: Sequence[DeadlineEvent]) -> list[Finding]:
    """What is wrong with what was told of moved due dates: each goes away from the one that was told before."""
    return [
        Finding("deadline", key, f"sla told a move from {data.previous_due_at.isoformat()} after {_name(before)}")
        for before, data in pairwise([None, *course])
        if isinstance(data, DeadlineMovedV1) and getattr(before, "due_at", None) != data.previous_due_at
    ]


def _kept(row: asyncpg.Record) -> KeptClock:
    return KeptClock(
        row["state"],
        row["due_at"],
        row["waiting_for"],
        row["rules_digest"],
        row["calendar_version"],
        fired_of(json.loads(row["fired"])),
        row["next_threshold_at"],
        row["held"],
    )


def _by_older_rules(key: str, kept: KeptClock, last: DeadlineEvent | None) -> list[Finding]:
    if isinstance(last, DeadlineEndedV1) and last.due_at == kept.due_at:
        return []
    words = _words(kept.state, kept.due_at, kept.waiting_for)
    return [Finding("deadline", key, f"sla's row says {words}, sla told {_name(last)}")]


def _row(key: str, row: KeptClock | None, deadline: Deadline | None) -> list[Finding]:
    derived = (None, None, None) if deadline is None else (deadline.state, deadline.due_at, deadline.waiting_for)
    kept = (None, None, None) if row is None else (row.state, row.due_at, row.waiting_for)
    if kept == derived:
        return []
    return [Finding("deadline", key, f"sla's row says {_words(*kept)}, the rules give {_words(*derived)}")]


def _told(
    key: str, last: DeadlineEvent | None, deadline: Deadline | None, procedure: str, calendar: Calendar
) -> list[Finding]:
    expected = (
        None
        if deadline is None
        else deadline_event(
            deadline, procedure=procedure, calendar=calendar, version=0, dossier_sequence=0, generation=0
        )
    )
    if isinstance(last, DeadlineMovedV1):  # the same promise, told with the one before
        last = DeadlineSetV1.model_validate(last.model_dump())
    if type(last) is not type(expected):
        return [Finding("deadline", key, f"sla told {_name(last)}, the rules give {_name(expected)}")]
    theirs, ours = _plain(last), _plain(expected)
    return [
        Finding("deadline", key, f"sla told {_name(last)} with {name} {value}, the rules give {ours[name]}")
        for name, value in theirs.items()
        if value != ours[name]
    ]


def _plain(event: DeadlineEvent | None) -> dict[str, object]:
    return {} if event is None else event.model_dump(mode="json", exclude=BOOKKEEPING)


def _name(event: DeadlineEvent | None) -> str:
    due_at = getattr(event, "due_at", None)
    return "nothing" if event is None else event.TYPE + (f" due {due_at.isoformat()}" if due_at else "")


def _words(state: str | None, due_at: datetime | None, waiting_for: str | None) -> str:
    if state is None:
        return "no clock"
    if waiting_for is not None:
        return f"{state}, waiting for {waiting_for}"
    return f"{state}, " + (f"due {due_at.isoformat()}" if due_at else "no due date")
