"""What is played of a whole log: its acts in order of time, its cases, its anomalies; or every fault, and nothing."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from motcua.lab.dry_run import refusals
from motcua.lab.past_acts import PastAct
from motcua.lab.scenarios.event_log.case_plan import Anomaly, Course, Kind, PlannedAct, course_of
from motcua.lab.scenarios.event_log.cases import ReadCase, Reading, read_cases
from motcua.lab.scenarios.event_log.log import Fault, Log, LogRefusedError
from motcua.lab.scenarios.event_log.mapping import Mapping1, faults_against
from services.sla.domain.calendar import compile_calendar
from shared.kernel.centre import Centre
from shared.kernel.worktime import Worktime, midnight

_COLUMNS_OF = {"/actor/id": "resource", "/data/activity": "activity", "/data/group": "group"}


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """A case as the log tells it, instants as recorded; what a report compares the centre's events with."""

    id: str
    line: int
    dossier_id: UUID
    department: str
    started_at: datetime
    ended_at: datetime | None
    deadline: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it. Acts are in order of time; the acts of a case, in the order in which its dossier takes them."""

    system: str
    acts: tuple[PastAct, ...] = field(repr=False)
    cases: tuple[PlannedCase, ...] = field(repr=False)
    anomalies: tuple[Anomaly, ...] = field(repr=False)
    rows: int
    worktime: Worktime
    left_out: tuple[str, ...] = ()

    @property
    def first_date(self) -> date:
        """The local date of the first act."""
        return self.worktime.local_date(self.acts[0].occurred_at)

    @property
    def last_date(self) -> date:
        """The local date of the last act."""
        return self.worktime.local_date(self.acts[-1].occurred_at)

    @property
    def starts_at(self) -> datetime:
        """0:00 of the first date: where a set centre's clock may start."""
        return midnight(self.first_date, self.worktime.zone)

    @property
    def ends_at(self) -> datetime:
        """24:00 of the last act's date."""
        return self.worktime.end_of(self.last_date)

    @property
    def digest(self) -> str:
        """Told by what is played alone: the same for every form of the file and every order of its rows."""
        digest = hashlib.sha256()
        for act in self.acts:
            digest.update(act.line())
        return digest.hexdigest()

    def cases_with(self) -> Counter[Kind]:
        """How many cases have each kind of anomaly."""
        return Counter(kind for kind, _case in {(anomaly.kind, anomaly.case) for anomaly in self.anomalies})


def plan(log: Log, mapping: Mapping1, centre: Centre, *, mapping_file: str = "mapping") -> Plan:
    """The plan of a log at a centre, by a mapping; the same three always give the same plan.

    Everything is judged as intake will judge it. Raises LogRefusedError with every fault (file, line, column, reason).
    """
    faults = faults_against(mapping, log, mapping_file)
    if faults:
        raise LogRefusedError(faults)
    reading = read_cases(log, mapping)
    worktime = compile_calendar(centre.calendar).worktime
    if not reading.faults:
        reading.faults += [fault for case in reading.cases for fault in _unknown(case, log, mapping, centre)]
    if reading.faults:
        raise LogRefusedError(reading.faults)
    courses = [course_of(case, mapping) for case in reading.cases]
    # a sort keeps the order of equals: at one instant, the acts of a case stay as its dossier takes them
    acts = [act for course in sorted(courses, key=lambda course: course.dossier_id) for act in course.acts]
    acts.sort(key=lambda act: act.past.occurred_at)
    faults = _outside(acts, log, worktime) or _refused(acts, log, mapping, centre)
    if faults:
        raise LogRefusedError(faults)
    return Plan(
        system=mapping.system,
        acts=tuple(act.past for act in acts),
        cases=tuple(_case(course) for course in courses),
        anomalies=tuple(sorted(_anomalies(courses, reading), key=lambda anomaly: (anomaly.kind, anomaly.line))),
        rows=sum(len(case.rows) for case in reading.cases),
        worktime=worktime,
        left_out=log.left_out,
    )


def _unknown(case: ReadCase, log: Log, mapping: Mapping1, centre: Centre) -> list[Fault]:
    """A procedure that the centre does not know would wait for ever."""
    start = case.start or case.rows[0].at
    on = centre.local_date(start)
    if centre.procedure(case.procedure, on) is not None:
        return []
    column = mapping.dossier.procedure.column
    reason = f"the centre knows no procedure {case.procedure!r} on {on}: enter it in its procedures.csv"
    return [Fault(log.file, reason, case.line, column or "dossier.procedure")]


def _outside(acts: list[PlannedAct], log: Log, worktime: Worktime) -> list[Fault]:
    first, last = worktime.starts_at, worktime.ends_at
    return [
        Fault(
            log.file,
            f"{act.past.occurred_at.isoformat()} lies outside the centre's calendar, {worktime.first_date} to "
            f"{worktime.last_date}: widen it",
            act.line,
        )
        for act in acts
        if not first <= act.past.occurred_at < last
    ]


def _refused(acts: list[PlannedAct], log: Log, mapping: Mapping1, centre: Centre) -> list[Fault]:
    lines = {act.past.key: act.line for act in acts}
    faults = []
    for past, refusal in refusals(centre, (act.past for act in acts)):
        pointer = refusal.errors[0].pointer if refusal.errors else ""
        place = _COLUMNS_OF.get(pointer)
        detail = refusal.errors[0].detail if refusal.errors else refusal.detail
        column = getattr(mapping.columns, place) if place else None
        hint = "; set pseudonyms = true" if place == "resource" else ""
        faults.append(Fault(log.file, f"{past.act}: {detail}{hint}", lines[past.key], column))
    return faults


def _case(course: Course) -> PlannedCase:
    case = course.case
    return PlannedCase(
        case.id, case.line, course.dossier_id, case.department, course.starts_at, case.end, case.deadline
    )


def _anomalies(courses: list[Course], reading: Reading) -> list[Anomaly]:
    found = [anomaly for course in courses for anomaly in course.anomalies]
    says = "stood twice on the clock when summer time ended: the first one was taken"
    return found + [
        Anomaly("time twice on the clock", case, line, f"{column} {says}") for case, line, column in reading.twice
    ]
