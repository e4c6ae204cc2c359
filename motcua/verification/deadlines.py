"""Derive each due date again from intake's events by the rules; compare it with sla's row and events.

The calendar is the one in sla's table, which includes approved changes; the configuration has only its first version.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import asyncpg

from motcua.verification.findings import Finding
from motcua.verification.history import History
from motcua.verification.thresholds import (
    compare_with_row,
    compare_with_rules,
    outside_working_time,
    published_thresholds,
)
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
_PUBLISHED_WITHIN = timedelta(minutes=10)
"""A threshold must be published if its instant is at least this long before sla's last event."""
_ROWS = """
select dossier_id::text as key, state, due_at, waiting_for, rules_digest, calendar_version, fired::text,
    next_threshold_at,
    coalesce((fences -> $1 ->> 2)::boolean, false) as quarantined
from sla.dossiers
"""
_COURSE = (DeadlineSetV1, DeadlinePausedV1, DeadlineNoneV1, DeadlineWaitingV1, DeadlineEndedV1)


@dataclass(frozen=True, slots=True)
class ClockRow:
    """A dossier's clock in sla's table. `rules` and `calendar_version` are those by which the clock was derived.

    `fired` are the thresholds that sla has published and not retracted, `next_at` is the instant of the next one. While
    a record of the dossier is `quarantined`, sla publishes no threshold.
    """

    state: str | None
    due_at: datetime | None
    waiting_for: str | None
    rules: str | None
    calendar_version: int
    fired: tuple[Threshold, ...] = ()
    next_at: datetime | None = None
    quarantined: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in force: the centre's configuration and sla's calendar.

    `name` is the digest of the configuration's terms that sla stores with each clock. `version` is the number of the
    calendar version; `older` maps version numbers to calendars.
    """

    centre: Centre
    calendar: Calendar
    name: str
    version: int
    older: Mapping[int, Calendar] = field(default_factory=dict)


async def check(connection: asyncpg.Connection, centre: Centre, histories: Mapping[str, History]) -> list[Finding]:
    """Compare each clock and its thresholds, as stored and as published by sla, with what the rules give.

    Also compare the last calendar that sla published with the stored one. Return the findings. `histories` maps topic
    names to histories.
    """
    name = centre.calendar.name
    stored = await connection.fetchrow("select version, rules, history from sla.calendars where name = $1", name)
    if stored is None or stored["rules"] is None:
        return [Finding("calendar", name, "sla has not stored its rules yet: start sla with this release.")]
    calendar, version = compile_calendar(rules_from_document(json.loads(stored["rules"]))), stored["version"]
    history = json.loads(stored["history"])
    older = {each.number: compile_calendar(each.of(calendar.rules)) for each in versions_from_documents(history)}
    rules = Rules(centre, calendar, catalogue_digest(centre), version, older)
    rows = {row["key"]: _clock_row(row) for row in await connection.fetch(_ROWS, DOSSIERS.name)}
    sla_events = histories[DEADLINES.name].by_key
    published = histories[CALENDARS.name].by_key.get(name, ())
    expected = calendar_event(calendar, version, history[-1]["decision"])
    findings = []
    if not published or published[-1].event().data != expected:
        findings.append(
            Finding("calendar", name, f"the last calendar that sla published is not the stored version {version}.")
        )
    until = max((one[-1].event().recordedtime for one in sla_events.values()), default=_NEVER) - _PUBLISHED_WITHIN
    for key, dossier_events in histories[DOSSIERS.name].by_key.items():
        published_events = [one.event() for one in sla_events.get(key, ())]
        envelopes = [one.event() for one in dossier_events]
        course = [envelope.data for envelope in published_events if isinstance(envelope.data, _COURSE)]
        findings += moves_of(key, course)
        findings += findings_of(key, envelopes, rows.get(key), course[-1] if course else None, rules)
        findings += thresholds_of(key, envelopes, rows.get(key), published_events, rules, until)
    return findings


def findings_of(
    key: str, envelopes: Sequence[AnyEnvelope], row: ClockRow | None, last: DeadlineEvent | None, rules: Rules
) -> list[Finding]:
    """Compare one clock, as stored in `row` and as published in `last`, with what the rules give; return the findings.

    `key` is the dossier, `envelopes` are intake's events about it, `last` is sla's last event about its clock. An ended
    clock keeps the result of the rules under which it ended. Earlier calendar versions are available, earlier terms are
    not: if the terms have changed since, row and event are only compared with each other.
    """
    calendar = rules.calendar
    if row is not None and row.state == "ended" and row.waiting_for is None:
        if row.rules != rules.name:
            return _by_former_rules(key, row, last)
        calendar = rules.older.get(row.calendar_version, calendar)
    deadline = rebuild_deadline(envelopes, rules.centre, calendar)
    return _compare_row(key, row, deadline) + _compare_event(key, last, deadline, procedure_of(envelopes), calendar)


def thresholds_of(
    key: str,
    envelopes: Sequence[AnyEnvelope],
    row: ClockRow | None,
    published: Sequence[AnyEnvelope],
    rules: Rules,
    until: datetime,
) -> list[Finding]:
    """Compare the thresholds of one clock in `row` with those in `published`, sla's events; return the findings.

    If the clock was derived by the terms and thresholds in force, its warnings must be in working time. If it was also
    derived by the calendar in force, compare with what the rules give for `envelopes`, intake's events; then every
    threshold before `until` must be published.
    """
    if row is None:
        return []
    found = published_thresholds(published)
    sentences = found.faults + compare_with_row(row.fired, found)
    if row.rules == rules.name:
        sentences += outside_working_time(found, (rules.calendar, *rules.older.values()))
    is_current = (row.rules, row.calendar_version) == (rules.name, rules.version)
    deadline = rebuild_deadline(envelopes, rules.centre, rules.calendar) if is_current else None
    if deadline is not None:
        on = rules.centre.local_date(deadline.received_at)
        steps = rules.centre.steps_of(procedure_of(envelopes), on)
        expected = thresholds(deadline, rules.centre.thresholds(on), rules.calendar, steps)
        sentences += compare_with_rules(expected, found, row.next_at, None if row.quarantined else until)
    return [Finding("threshold", key, sentence) for sentence in sentences]


def procedure_of(envelopes: Sequence[AnyEnvelope]) -> str:
    """Return the procedure code with which the dossier was received; an empty string if it was not received."""
    return next((envelope.data.procedure for envelope in envelopes if isinstance(envelope.data, DossierReceivedV1)), "")


def moves_of(key: str, course: Sequence[DeadlineEvent]) -> list[Finding]:
    """Return a finding for each moved due date whose `previous_due_at` is not the due date in the event before.

    `course` are sla's events about one clock in order, without thresholds.
    """
    return [
        Finding("deadline", key, f"sla published a move from {data.previous_due_at.isoformat()} after {_name(before)}.")
        for before, data in pairwise([None, *course])
        if isinstance(data, DeadlineMovedV1) and getattr(before, "due_at", None) != data.previous_due_at
    ]


def _clock_row(row: asyncpg.Record) -> ClockRow:
    return ClockRow(
        row["state"],
        row["due_at"],
        row["waiting_for"],
        row["rules_digest"],
        row["calendar_version"],
        fired_of(json.loads(row["fired"])),
        row["next_threshold_at"],
        row["quarantined"],
    )


def _by_former_rules(key: str, row: ClockRow, last: DeadlineEvent | None) -> list[Finding]:
    if isinstance(last, DeadlineEndedV1) and last.due_at == row.due_at:
        return []
    words = _words(row.state, row.due_at, row.waiting_for)
    return [Finding("deadline", key, f"sla's row has {words}, but sla published {_name(last)}.")]


def _compare_row(key: str, row: ClockRow | None, deadline: Deadline | None) -> list[Finding]:
    derived = (None, None, None) if deadline is None else (deadline.state, deadline.due_at, deadline.waiting_for)
    stored = (None, None, None) if row is None else (row.state, row.due_at, row.waiting_for)
    if stored == derived:
        return []
    return [Finding("deadline", key, f"sla's row has {_words(*stored)}, but the rules give {_words(*derived)}.")]


def _compare_event(
    key: str, last: DeadlineEvent | None, deadline: Deadline | None, procedure: str, calendar: Calendar
) -> list[Finding]:
    expected = (
        None
        if deadline is None
        else deadline_event(
            deadline, procedure=procedure, calendar=calendar, version=0, dossier_sequence=0, generation=0
        )
    )
    if isinstance(last, DeadlineMovedV1):  # the same due date, published with the previous one
        last = DeadlineSetV1.model_validate(last.model_dump())
    if type(last) is not type(expected):
        return [Finding("deadline", key, f"sla published {_name(last)}, but the rules give {_name(expected)}.")]
    published, by_rules = _comparable(last), _comparable(expected)
    return [
        Finding(
            "deadline", key, f"sla published {_name(last)} with {name} {value}, but the rules give {by_rules[name]}."
        )
        for name, value in published.items()
        if value != by_rules[name]
    ]


def _comparable(event: DeadlineEvent | None) -> dict[str, object]:
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
