"""Requests and responses about the general counter."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, StringConstraints

from services.routing.domain.decisions import Receiving
from services.routing.domain.volumes import Week
from services.routing.general_counter.store import DecisionRow, ProposalRow, VolumeRow, parse_weeks
from services.routing.requests import Code, LocalDate
from shared.contracts.envelope import Instant
from shared.kernel.centre import PoolingRule
from shared.service.approvals import ProposalState
from shared.service.http import Body
from shared.service.paging import PageQuery

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class ApprovalRequest(Body):
    """`decision` is the document's number. Without a date it takes effect at the start of the next working week."""

    decision: Text
    effective_from: LocalDate | None = None


class RejectionRequest(Body):
    """`decision` is the number of the document that rejects the proposal."""

    decision: Text
    reason: Text


class DecisionRequest(Body):
    """A decision without a proposal. `fixed`: the rule proposes no change for the department until a later decision.

    An exemption from the general counter is a department that is fixed at its own counters.
    """

    department: Code
    receiving: Receiving
    fixed: bool
    effective_from: LocalDate | None = None
    decision: Text
    reason: Text


class ProposalsQuery(PageQuery):
    """Filters of proposals; all by default."""

    department: Code | None = None
    state: ProposalState | None = None


class DecisionsQuery(Body):
    """The department (all by default), and the local date for `status` (today by default)."""

    department: Code | None = None
    on: LocalDate | None = None


class VolumesQuery(Body):
    """The weeks that begin from `first` to `last` (the last 26 closed ones by default), and a department."""

    first: LocalDate | None = None
    last: LocalDate | None = None
    department: Code | None = None


class WeekView(BaseModel):
    """A week's figures. `volume` is scaled to a full week; null if the rule does not count the week."""

    week: date
    dossiers: int
    working_days: int
    volume: float | None

    @classmethod
    def of(cls, week: Week, rule: PoolingRule | None) -> "WeekView":
        """The view of a week under a rule."""
        volume = round(float(week.volume(rule)), 2) if rule is not None and week.counts(rule) else None
        return cls(week=week.start, dossiers=week.dossiers, working_days=week.working_days, volume=volume)


class RuleView(BaseModel):
    """The rule's parameters in force, and the number of the decision about them."""

    decision: str
    channels: tuple[str, ...]
    full_week_days: int
    least_working_days: int
    pool_below: int
    pool_weeks: int
    release_from: int
    release_weeks: int
    min_stay_weeks: int
    invented: tuple[str, ...]

    @classmethod
    def of(cls, rule: PoolingRule | None) -> "RuleView | None":
        """The view of a rule, if there is one."""
        return None if rule is None else cls.model_validate(rule, from_attributes=True)


class ProposalView(BaseModel):
    """A proposal with its figures and its outcome."""

    proposal_id: UUID
    department: str
    receiving: Receiving
    weeks: list[WeekView]
    rule: str
    earliest_from: date
    proposed_at: Instant
    state: ProposalState
    decided_by: str | None
    decided_at: Instant | None
    decision: str | None
    reason: str | None
    effective_from: date | None

    @classmethod
    def of(cls, row: ProposalRow, rule: PoolingRule | None) -> "ProposalView":
        """The view of a proposal, with volumes under a rule."""
        return cls.model_validate(_values(row) | {"weeks": _weeks(row, rule)})


class DecisionView(BaseModel):
    """A signed decision. `status` on the requested date: `signed` (in force later), `in_force` or `superseded`."""

    decision_id: UUID
    department: str
    receiving: Receiving
    effective_from: date
    fixed: bool
    decision: str
    reason: str | None
    rule: str | None
    weeks: list[WeekView]
    proposal_id: UUID | None
    decided_by: str | None
    decided_at: Instant
    status: Literal["signed", "in_force", "superseded"]

    @classmethod
    def of(
        cls, row: DecisionRow, of_department: Sequence[DecisionRow], on: date, rule: PoolingRule | None
    ) -> "DecisionView":
        """The view of a decision on a date, given all decisions about its department, and volumes under a rule."""
        superseded = any(row.effective_from < each.effective_from <= on for each in of_department)
        status = "signed" if row.effective_from > on else "superseded" if superseded else "in_force"
        return cls.model_validate(_values(row) | {"weeks": _weeks(row, rule), "status": status})

    def without_signer(self) -> "DecisionView":
        """The same without who signed it and why, for callers who may not read decisions."""
        return self.model_copy(update={"decided_by": None, "reason": None})


class Decisions(BaseModel):
    """Signed decisions, by department and date."""

    on: date
    decisions: list[DecisionView]


class ReceivingPlaceView(BaseModel):
    """Who receives for a department on a local date. `decision` is null if none was ever in force.

    `next` is the first decision that takes effect later.
    """

    department: str
    on: date
    receiving: Receiving
    counters: tuple[int, ...]
    decision: DecisionView | None
    next: DecisionView | None
    reason: str


class VolumeView(BaseModel):
    """A department's closed week.

    `received` is by channel and includes channels that the rule does not count. `later` is the number of dossiers that
    arrived after the week was closed; no figure contains them.
    """

    week: date
    department: str
    working_days: int
    received: dict[str, int]
    dossiers: int | None
    volume: float | None
    later: int

    @classmethod
    def of(cls, row: VolumeRow, rule: PoolingRule | None, received_now: dict[str, int]) -> "VolumeView":
        """The view of a volume under a rule; `received_now` is the present number of dossiers by channel."""
        figures = None if rule is None else row.figures(rule.channels)
        return cls(
            week=row.week,
            department=row.department,
            working_days=row.working_days,
            received=row.received,
            dossiers=None if figures is None else figures.dossiers,
            volume=None if figures is None else WeekView.of(figures, rule).volume,
            later=sum(received_now.values()) - sum(row.received.values()),
        )


class OpenWeekView(BaseModel):
    """The oldest open week: when it can be closed, what delays it after that, and the dossiers received so far.

    `received` is by department and channel.
    """

    week: date
    closes_at: Instant | None
    waits_for: str | None
    received: dict[str, dict[str, int]]


class Volumes(BaseModel):
    """Closed weeks by week and department, under the rule of today, and the week that is closed next."""

    rule: RuleView | None
    volumes: list[VolumeView]
    open: OpenWeekView | None


class DepartmentReceivingView(BaseModel):
    """Who receives for a department, and since when (null: no change so far).

    `fixed`: the rule proposes no change. `weeks` are those that the rule evaluates, `proposal` the open one, `next` the
    signed decision that takes effect next.
    """

    department: str
    name_vi: str
    receiving: Receiving
    since: date | None
    fixed: bool
    weeks: list[WeekView]
    proposal: ProposalView | None
    next: DecisionView | None


class GeneralCounterView(BaseModel):
    """Every department under the rule of a local date."""

    on: date
    rule: RuleView | None
    departments: list[DepartmentReceivingView]


def _weeks(row: DecisionRow | ProposalRow, rule: PoolingRule | None) -> list[WeekView]:
    return [WeekView.of(week, rule) for week in parse_weeks(row.weeks)]


def _values(row: DecisionRow | ProposalRow) -> dict[str, object]:
    return {each.name: getattr(row, each.name) for each in fields(row)}
