"""Plan of one case of a log: the acts by which its dossier is received, worked on row by row and settled."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from motcua.lab.past_acts import PastAct, PastActor, dossier_id, idempotency_key
from motcua.lab.scenarios.event_log.cases import CaseRow, LogCase
from motcua.lab.scenarios.event_log.mapping import LogMapping
from services.intake.dossiers.registry import ACTS, move
from shared.kernel.vocabulary import State

Kind = Literal[
    "first row after the end",
    "rows after the end",
    "end before the start",
    "rows before the start",
    "no start",
    "act not allowed",
    "ambiguous local time",
]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """An irregularity of a case that does not prevent its replay. `line` is the line of the log that shows it."""

    kind: Kind
    case: str
    line: int
    detail: str


@dataclass(frozen=True, slots=True)
class PlannedAct:
    """An act with the line of the log that it comes from."""

    past: PastAct
    line: int


@dataclass(frozen=True, slots=True)
class _Step:
    """A planned act, not yet checked against the dossier's state. At one instant, a lower `rank` is applied first."""

    at: datetime
    rank: int
    act: str
    key: tuple[str, ...]
    line: int
    data: Mapping[str, Any] = field(default_factory=dict)
    row: CaseRow | None = None


@dataclass(slots=True)
class CasePlan:
    """The plan of a case, filled by `plan_case`: acts in time order, and anomalies. `starts_at` is the submission."""

    case: LogCase
    mapping: LogMapping
    starts_at: datetime
    dossier_id: UUID
    acts: list[PlannedAct] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)
    _attributes_noted: bool = False

    def add_anomaly(self, kind: Kind, line: int, detail: str) -> None:
        """Append an anomaly of this case to `anomalies`."""
        self.anomalies.append(Anomaly(kind, self.case.id, line, detail))


def plan_case(case: LogCase, mapping: LogMapping) -> CasePlan:
    """Return the plan of a case: its acts in time order, with every irregularity listed as an anomaly.

    Each row becomes one act; no row is dropped. A row or an end before the start is moved to the start; a row after
    the end is not moved. If the mapping asks for `take_over`, it happens with the first row, but not after the end.
    An act that the dossier's state does not allow becomes an entry of the control slip (`record_step`) instead.
    """
    starts_at = case.start or case.rows[0].at
    planned = CasePlan(case, mapping, starts_at, dossier_id(starts_at, mapping.system, case.id))
    _list_anomalies(planned)
    state: State = "received"
    came_from: State | None = None
    planned.acts.append(PlannedAct(_submission(planned), case.line))
    for step in sorted(_steps(planned), key=lambda step: (step.at, step.rank)):
        act = ACTS[step.act]
        allowed = state in act.moves
        if not allowed:
            detail = f"{step.act} is not allowed in state {state}; played as a step of the control slip"
            planned.add_anomaly("act not allowed", step.line, detail)
        planned.acts.append(_planned(planned, step, as_step=not allowed))
        if allowed:
            to = move(act, state, came_from)
            came_from = state if to in ("supplement_required", "payment_required") and to != state else came_from
            state = to
    return planned


def _list_anomalies(planned: CasePlan) -> None:
    case, mapping = planned.case, planned.mapping
    if case.start is None and mapping.dossier.start is not None:
        planned.add_anomaly("no start", case.line, f"{mapping.dossier.start} is empty; started with the first row")
    start = _text(planned.starts_at)
    early = [row for row in case.rows if row.at < planned.starts_at]
    if early:
        detail = f"{len(early)} of {len(case.rows)} rows are before the start, {start}; moved to it"
        planned.add_anomaly("rows before the start", early[0].line, detail)
    if case.end is None:
        return
    end = _text(case.end)
    if case.end < planned.starts_at:
        detail = f"ended {end}, before the start, {start}; settled at the start"
        planned.add_anomaly("end before the start", case.line, detail)
    if case.rows and case.rows[0].at > case.end:
        detail = f"the first row, {_text(case.rows[0].at)}, is after the end, {end}; taken over at the end"
        planned.add_anomaly("first row after the end", case.rows[0].line, detail)
    late = [row for row in case.rows if row.at > case.end]
    if late:
        detail = f"{len(late)} of {len(case.rows)} rows are after the end, {end}; recorded after the settlement"
        planned.add_anomaly("rows after the end", late[0].line, detail)


def _steps(planned: CasePlan) -> Iterator[_Step]:
    case, mapping, start = planned.case, planned.mapping, planned.starts_at
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


def _submission(planned: CasePlan) -> PastAct:
    case, mapping = planned.case, planned.mapping
    return PastAct(
        key=idempotency_key(mapping.system, "case", case.id, "submit"),
        act="submit",
        dossier_id=planned.dossier_id,
        department=case.department,
        occurred_at=planned.starts_at,
        actor=PastActor(id=mapping.system, role="clerk", system=True),
        data={
            "procedure": case.procedure,
            "department": case.department,
            "channel": case.channel,
            "foreign_codes": [{"system": mapping.system, "code": case.id}],
            "receive": {},
        },
    )


def _planned(planned: CasePlan, step: _Step, *, as_step: bool) -> PlannedAct:
    act = "record_step" if as_step else step.act
    past = PastAct(
        key=idempotency_key(planned.mapping.system, *step.key),
        act=act,
        dossier_id=planned.dossier_id,
        department=planned.case.department,
        occurred_at=step.at,
        actor=_actor(planned, act, step.row),
        data=_slip_entry(planned, step) if act == "record_step" else step.data,
    )
    return PlannedAct(past, step.line)


def _slip_entry(planned: CasePlan, step: _Step) -> dict[str, Any]:
    """Return the data of a `record_step` act, which adds an entry to the dossier's control slip (form 06).

    Its members are the activity, the group if known, the mapping's data for a `record_step`, and a note with the rest,
    one line each: the recorded time if the row was moved, the row's attributes, and an act that the state did not
    allow, with its data. The first entry of a case also notes the case's attributes; `planned` is marked accordingly.
    """
    row, case = step.row, planned.case
    activity = row.activity if row else planned.mapping.dossier.end or step.act
    noted: dict[str, str] = {}
    if row is not None and row.at < step.at:
        noted[planned.mapping.columns.time] = row.at.isoformat()
    noted |= row.attributes if row else {}
    if not planned._attributes_noted:
        planned._attributes_noted = True
        noted |= case.attributes
    data: dict[str, Any] = {"activity": activity, **step.data}
    if step.act != "record_step":
        data = {"activity": activity}
        noted = {"act": step.act, **{name: str(value) for name, value in step.data.items()}, **noted}
    if row is not None and row.group is not None:
        data["group"] = row.group
    if noted:
        data["note"] = "\n".join(f"{name}: {value}" for name, value in noted.items())
    return data


def _actor(planned: CasePlan, act: str, row: CaseRow | None) -> PastActor:
    named = row.resource if row is not None else None
    who = planned.mapping.system if named is None else pseudonym(named) if planned.mapping.pseudonyms else named
    if "officer" in ACTS[act].roles:
        return PastActor(id=who, role="officer", department=planned.case.department, system=named is None)
    return PastActor(id=who, role="clerk", system=named is None)


def pseudonym(name: str) -> str:
    """Return `r-` and 12 hex digits of the name's hash, always the same. Names of persons must not be on Kafka."""
    return f"r-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _text(instant: datetime) -> str:
    return instant.isoformat(sep=" ", timespec="seconds")
