"""The plan of a log for a centre: acts in time order, cases and anomalies. A log with faults is rejected instead."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from motcua.lab.dry_run import refused_acts
from motcua.lab.past_acts import PastAct
from motcua.lab.scenarios.event_log.case_plan import Anomaly, CasePlan, Kind, PlannedAct, plan_case
from motcua.lab.scenarios.event_log.cases import LogCase, LogCases, read_cases
from motcua.lab.scenarios.event_log.log import Log, LogRefusedError
from motcua.lab.scenarios.event_log.mapping import LogMapping, faults_against
from services.sla.domain.calendar import compile_calendar
from shared.catalogue.faults import Fault
from shared.kernel.centre import Centre
from shared.kernel.worktime import Worktime, midnight

_COLUMNS_OF = {"/actor/id": "resource", "/data/activity": "activity", "/data/group": "group"}


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """A case with its instants as the log recorded them, for the comparison with the centre's due dates.

    `started_at` is the first row's instant if the log recorded no start.
    """

    id: str
    line: int
    dossier_id: UUID
    department: str
    started_at: datetime
    ended_at: datetime | None
    deadline: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that a replay sends to the centre or reports about the log.

    Acts are in time order; acts of one dossier at the same instant are in the order in which they must be applied.
    """

    system: str
    acts: tuple[PastAct, ...] = field(repr=False)
    cases: tuple[PlannedCase, ...] = field(repr=False)
    anomalies: tuple[Anomaly, ...] = field(repr=False)
    rows: int
    worktime: Worktime
    left_out: tuple[str, ...] = ()

    @property
    def first_date(self) -> date:
        """The date of the first act, in the centre's time zone."""
        return self.worktime.local_date(self.acts[0].occurred_at)

    @property
    def last_date(self) -> date:
        """The date of the last act, in the centre's time zone."""
        return self.worktime.local_date(self.acts[-1].occurred_at)

    @property
    def starts_at(self) -> datetime:
        """Local midnight at the start of the first act's date: the instant at which the simulated clock begins."""
        return midnight(self.first_date, self.worktime.zone)

    @property
    def ends_at(self) -> datetime:
        """Local midnight at the end of the last act's date."""
        return self.worktime.end_of(self.last_date)

    @property
    def digest(self) -> str:
        """The SHA-256 of the acts in hex, independent of the file's format.

        The order of rows in the file does not matter either, except among rows of one case at the same instant.
        """
        digest = hashlib.sha256()
        for act in self.acts:
            digest.update(act.line())
        return digest.hexdigest()

    def cases_with(self) -> Counter[Kind]:
        """Return, for each kind of anomaly, the number of cases that have it at least once."""
        return Counter(kind for kind, _case in {(anomaly.kind, anomaly.case) for anomaly in self.anomalies})


def plan(log: Log, mapping: LogMapping, centre: Centre, *, mapping_file: str = "mapping") -> Plan:
    """Return the plan of a log for a centre, by a mapping. The same log, mapping and centre give the same plan.

    Nothing is sent. The checks are: columns and activities, cells, procedures, the calendar's dates, and intake's own
    rules for each act. Raises LogRefusedError with all faults of the first check that finds any; `mapping_file` is the
    mapping's name in them.
    """
    faults = faults_against(mapping, log, mapping_file)
    if faults:
        raise LogRefusedError(faults)
    found = read_cases(log, mapping)
    worktime = compile_calendar(centre.calendar).worktime
    if not found.faults:
        found.faults += [fault for case in found.cases for fault in _unknown_procedure(case, log, mapping, centre)]
    if found.faults:
        raise LogRefusedError(found.faults)
    plans = [plan_case(case, mapping) for case in found.cases]
    # the sort is stable: acts of a case at one instant stay in the order of their dossier
    acts = [act for case in sorted(plans, key=lambda case: case.dossier_id) for act in case.acts]
    acts.sort(key=lambda act: act.past.occurred_at)
    faults = _outside(acts, log, worktime) or _refused(acts, log, mapping, centre)
    if faults:
        raise LogRefusedError(faults)
    return Plan(
        system=mapping.system,
        acts=tuple(act.past for act in acts),
        cases=tuple(_case(case) for case in plans),
        anomalies=tuple(sorted(_anomalies(plans, found), key=lambda anomaly: (anomaly.kind, anomaly.line))),
        rows=sum(len(case.rows) for case in found.cases),
        worktime=worktime,
        left_out=log.left_out,
    )


def _unknown_procedure(case: LogCase, log: Log, mapping: LogMapping, centre: Centre) -> list[Fault]:
    """Return a fault if the centre does not have the case's procedure on the start's date; otherwise an empty list.

    The dossier of an unknown procedure would never get a due date.
    """
    start = case.start or case.rows[0].at
    on = centre.local_date(start)
    if centre.procedure(case.procedure, on) is not None:
        return []
    column = mapping.dossier.procedure.column
    reason = f"The centre has no procedure {case.procedure!r} on {on}. Enter it in procedures.csv."
    return [Fault(log.file, reason, case.line, column or "dossier.procedure")]


def _outside(acts: list[PlannedAct], log: Log, worktime: Worktime) -> list[Fault]:
    first, last = worktime.starts_at, worktime.ends_at
    return [
        Fault(
            log.file,
            f"{act.past.occurred_at.isoformat()} is outside the centre's calendar, {worktime.first_date} to "
            f"{worktime.last_date}. Extend the calendar.",
            act.line,
        )
        for act in acts
        if not first <= act.past.occurred_at < last
    ]


def _refused(acts: list[PlannedAct], log: Log, mapping: LogMapping, centre: Centre) -> list[Fault]:
    lines = {act.past.key: act.line for act in acts}
    faults = []
    for past, refusal in refused_acts(centre, (act.past for act in acts)):
        pointer = refusal.errors[0].pointer if refusal.errors else ""
        place = _COLUMNS_OF.get(pointer)
        detail = refusal.errors[0].detail if refusal.errors else refusal.detail
        column = getattr(mapping.columns, place) if place else None
        if place == "resource":
            detail = f"{detail.rstrip('.')}. Set pseudonyms = true."
        faults.append(Fault(log.file, f"{past.act}: {detail}", lines[past.key], column))
    return faults


def _case(planned: CasePlan) -> PlannedCase:
    case = planned.case
    return PlannedCase(
        case.id, case.line, planned.dossier_id, case.department, planned.starts_at, case.end, case.deadline
    )


def _anomalies(plans: list[CasePlan], found: LogCases) -> list[Anomaly]:
    detail = "is in the hour that the end of summer time repeats; the first instant is played"
    return [anomaly for case in plans for anomaly in case.anomalies] + [
        Anomaly("ambiguous local time", case, line, f"{column} {detail}") for case, line, column in found.ambiguous
    ]
