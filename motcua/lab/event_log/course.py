"""One case of a log as one dossier's acts: received at its start, worked on row by row, settled at its end."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from motcua.lab.event_log.cases import ReadCase, ReadRow
from motcua.lab.event_log.mapping import Mapping1
from motcua.lab.past_acts import Doer, PastAct, dossier_id, idempotency_key
from services.intake.domain.life_cycle import State
from services.intake.dossiers.registry import ACTS, move

Kind = Literal[
    "first row after the end",
    "rows after the end",
    "end before the start",
    "rows before the start",
    "no start",
    "act not allowed",
    "time twice on the clock",
]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """What is irregular in a case and played all the same. `line` is where it shows."""

    kind: Kind
    case: str
    line: int
    says: str


@dataclass(frozen=True, slots=True)
class PlannedAct:
    """An act with the line of the log that it comes from."""

    past: PastAct
    line: int


@dataclass(frozen=True, slots=True)
class _Step:
    """What is to be done, before it is known whether the dossier's state allows it. `rank` orders one instant."""

    at: datetime
    rank: int
    act: str
    key: tuple[str, ...]
    line: int
    data: Mapping[str, Any] = field(default_factory=dict)
    row: ReadRow | None = None


@dataclass(slots=True)
class Course:
    """A case's acts in order of time, and its anomalies."""

    case: ReadCase
    mapping: Mapping1
    starts_at: datetime
    dossier_id: UUID
    acts: list[PlannedAct] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)
    _noted: bool = False

    def note(self, kind: Kind, line: int, says: str) -> None:
        """List something irregular."""
        self.anomalies.append(Anomaly(kind, self.case.id, line, says))


def course_of(case: ReadCase, mapping: Mapping1) -> Course:
    """What is played of a case. Instants outside its bounds are moved to them and kept in a note; nothing is dropped.

    A row before the start is moved to the start, an end before it, too; a dossier is taken over by its first row, but
    not after its end. An act that its state does not allow becomes a step of the control slip.
    """
    starts_at = case.start or case.rows[0].at
    course = Course(case, mapping, starts_at, dossier_id(starts_at, mapping.system, case.id))
    _list_anomalies(course)
    state: State = "received"
    came_from: State | None = None
    course.acts.append(PlannedAct(_submission(course), case.line))
    for step in sorted(_steps(course), key=lambda step: (step.at, step.rank)):
        act = ACTS[step.act]
        allowed = state in act.moves
        if not allowed:
            says = f"{step.act} is not allowed while {state}: played as a step of the control slip"
            course.note("act not allowed", step.line, says)
        course.acts.append(_planned(course, step, as_step=not allowed))
        if allowed:
            to = move(act, state, came_from)
            came_from = state if to in ("supplement_required", "payment_required") and to != state else came_from
            state = to
    return course


def _list_anomalies(course: Course) -> None:
    case, mapping = course.case, course.mapping
    if case.start is None and mapping.dossier.start is not None:
        course.note("no start", case.line, f"{mapping.dossier.start} is empty: started with the first row")
    early = [row for row in case.rows if row.at < course.starts_at]
    if early:
        says = f"{len(early)} of {len(case.rows)} rows are before the start, {_told(course.starts_at)}: moved to it"
        course.note("rows before the start", early[0].line, says)
    if case.end is None:
        return
    if case.end < course.starts_at:
        says = f"ended {_told(case.end)}, before the start, {_told(course.starts_at)}: settled at the start"
        course.note("end before the start", case.line, says)
    if case.rows and case.rows[0].at > case.end:
        says = f"the first row, {_told(case.rows[0].at)}, is after the end, {_told(case.end)}: taken over at the end"
        course.note("first row after the end", case.rows[0].line, says)
    late = [row for row in case.rows if row.at > case.end]
    if late:
        says = f"{len(late)} of {len(case.rows)} rows are after the end, {_told(case.end)}: recorded once settled"
        course.note("rows after the end", late[0].line, says)


def _steps(course: Course) -> Iterator[_Step]:
    case, mapping, start = course.case, course.mapping, course.starts_at
    end = None if case.end is None else max(case.end, start)
    if mapping.dossier.take_over and case.rows:
        first = max(case.rows[0].at, start)
        at = first if end is None else min(first, end)
        yield _Step(at, 0, "take_over", ("case", case.id, "take_over"), case.rows[0].line)
    for row in case.rows:
        mapped = mapping.acts.get(row.activity)
        act, data = (mapped.act, mapped.data) if mapped else ("record_step", {})
        yield _Step(max(row.at, start), 1, act, ("row", *row.key), row.line, data, row)
    if end is not None and case.end is not None:
        moved = {} if end == case.end else {"reason": f"{mapping.dossier.end}: {case.end.isoformat()}"}
        data = {"outcome": case.outcome, **moved}
        yield _Step(end, 2, "settle", ("case", case.id, "settle"), case.line, data)


def _submission(course: Course) -> PastAct:
    case, mapping = course.case, course.mapping
    return PastAct(
        key=idempotency_key(mapping.system, "case", case.id, "submit"),
        act="submit",
        dossier_id=course.dossier_id,
        department=case.department,
        occurred_at=course.starts_at,
        doer=Doer(id=mapping.system, role="clerk", system=True),
        data={
            "procedure": case.procedure,
            "department": case.department,
            "channel": case.channel,
            "foreign_codes": [{"system": mapping.system, "code": case.id}],
            "receive": {},
        },
    )


def _planned(course: Course, step: _Step, *, as_step: bool) -> PlannedAct:
    act = "record_step" if as_step else step.act
    past = PastAct(
        key=idempotency_key(course.mapping.system, *step.key),
        act=act,
        dossier_id=course.dossier_id,
        department=course.case.department,
        occurred_at=step.at,
        doer=_doer(course, act, step.row),
        data=_slip(course, step) if act == "record_step" else step.data,
    )
    return PlannedAct(past, step.line)


def _slip(course: Course, step: _Step) -> dict[str, Any]:
    """An entry of the control slip; its note keeps what has no place of its own, the case's attributes once."""
    row, case = step.row, course.case
    activity = row.activity if row else course.mapping.dossier.end or step.act
    kept: dict[str, str] = {}
    if row is not None and row.at < step.at:
        kept[course.mapping.columns.time] = row.at.isoformat()
    kept |= row.attributes if row else {}
    if not course._noted:
        course._noted = True
        kept |= case.attributes
    data: dict[str, Any] = {"activity": activity, **step.data}
    if step.act != "record_step":
        data = {"activity": activity}
        kept = {"act": step.act, **{name: str(value) for name, value in step.data.items()}, **kept}
    if row is not None and row.group is not None:
        data["group"] = row.group
    if kept:
        data["note"] = "\n".join(f"{name}: {value}" for name, value in kept.items())
    return data


def _doer(course: Course, act: str, row: ReadRow | None) -> Doer:
    named = row.resource if row is not None else None
    who = course.mapping.system if named is None else pseudonym(named) if course.mapping.pseudonyms else named
    if "officer" in ACTS[act].roles:
        return Doer(id=who, role="officer", department=course.case.department, system=named is None)
    return Doer(id=who, role="clerk", system=named is None)


def pseudonym(name: str) -> str:
    """Stands for a name on Kafka, where no person's name goes: always the same for the same name."""
    return f"r-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _told(instant: datetime) -> str:
    return instant.isoformat(sep=" ", timespec="seconds")
