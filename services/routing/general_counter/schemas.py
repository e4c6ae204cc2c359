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
    """Approval of a proposal. `decision` is the number of the signed document.

    Without `effective_from` the decision takes effect at the start of the next working week.
    """

    decision: Text
    effective_from: LocalDate | None = None


class RejectionRequest(Body):
    """Rejection of a proposal. `decision` is the number of the document that rejects it."""

    decision: Text
    reason: Text


class DecisionRequest(Body):
    """A decision to sign without a proposal; `decision` is the number of the document.

    `fixed`: the rule proposes no change for the department until a later decision. To exempt a department from the
    general counter, fix it at its own counters. Without `effective_from` the decision takes effect at the start of the
    next working week.
    """

    department: Code
    receiving: Receiving
    fixed: bool
    effective_from: LocalDate | None = None
    decision: Text
    reason: Text


class ProposalsQuery(PageQuery):
    """Filters of the list of proposals; every proposal by default."""

    department: Code | None = None
    state: ProposalState | None = None


class DecisionsQuery(Body):
    """The department whose decisions are listed (all by default), and the local date `on` (today by default).

    Each decision is returned with its `status` on that date.
    """

    department: Code | None = None
    on: LocalDate | None = None


class VolumesQuery(Body):
    """The weeks from that of the date `first` to that of the date `last`, and the department (all by default).

    `last` is today by default, `first` 26 weeks before `last`. Only closed weeks have volumes.
    """

    first: LocalDate | None = None
    last: LocalDate | None = None
    department: Code | None = None


class WeekView(BaseModel):
    """A department's figures of one week.

    `volume` is `dossiers` scaled to a full week; null if the rule does not evaluate the week.
    """

    week: date
    dossiers: int
    working_days: int
    volume: float | None

    @classmethod
    def of(cls, week: Week, rule: PoolingRule | None) -> "WeekView":
        """Build the view of a week, with the volume by `rule`; without a rule the volume is null."""
        volume = round(float(week.volume(rule)), 2) if rule is not None and week.counts(rule) else None
        return cls(week=week.start, dossiers=week.dossiers, working_days=week.working_days, volume=volume)


class RuleView(BaseModel):
    """The parameters of the pooling rule in force, and the number of the decision about them."""

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
        """Build the view of the rule's parameters; None without a rule."""
        return None if rule is None else cls.model_validate(rule, from_attributes=True)


class ProposalView(BaseModel):
    """A proposal of the rule, with the weeks that justify it and, once decided, its outcome."""

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
        """Build the view of a proposal, with the weeks' volumes by `rule`."""
        return cls.model_validate(_values(row) | {"weeks": _weeks(row, rule)})


class DecisionView(BaseModel):
    """A signed decision.

    `status` on the requested date is `signed` (in force later), `in_force`, or `superseded` by a later decision.
    """

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
        """Build the view of a decision, with its status on the date `on` and the weeks' volumes by `rule`.

        `of_department` are all decisions about the same department, by which the status is computed.
        """
        superseded = any(row.effective_from < each.effective_from <= on for each in of_department)
        status = "signed" if row.effective_from > on else "superseded" if superseded else "in_force"
        return cls.model_validate(_values(row) | {"weeks": _weeks(row, rule), "status": status})

    def without_signer(self) -> "DecisionView":
        """A copy without `decided_by` and `reason`, for callers who may not read decisions."""
        return self.model_copy(update={"decided_by": None, "reason": None})


class Decisions(BaseModel):
    """Signed decisions in the order of department and date, with their status on the date `on`."""

    on: date
    decisions: list[DecisionView]


class ReceivingPlaceView(BaseModel):
    """Who receives for a department on a local date, and the numbers of the counters.

    `decision` is the signed decision in force on that date, null if there is none; `next` is the first one that takes
    effect later.
    """

    department: str
    on: date
    receiving: Receiving
    counters: tuple[int, ...]
    decision: DecisionView | None
    next: DecisionView | None
    reason: str


class VolumeView(BaseModel):
    """The volume of a department in a closed week.

    `received` is by channel and includes channels that the rule does not count. `later` is the number of dossiers of
    the week whose receipt routing consumed after the week was closed; no other figure contains them.
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
        """Build the view of a stored volume by `rule`; without a rule, `dossiers` and `volume` are null.

        `received_now` is the present number of dossiers by channel, from which `later` is computed.
        """
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
    """The oldest week that is not closed, by its Monday; `received` are its dossiers so far by department and channel.

    The week can be closed after `closes_at`. `waits_for` is what prevents the close, or delays it after that instant;
    otherwise null.
    """

    week: date
    closes_at: Instant | None
    waits_for: str | None
    received: dict[str, dict[str, int]]


class Volumes(BaseModel):
    """Volumes of closed weeks by week and department, under the rule of today, and the week that is closed next."""

    rule: RuleView | None
    volumes: list[VolumeView]
    open: OpenWeekView | None


class DepartmentReceivingView(BaseModel):
    """Who receives for a department, and since when (null: no change so far).

    `fixed`: the rule proposes no change. `weeks` are the weeks that the rule evaluates, `proposal` is the open
    proposal, `next` is the signed decision that takes effect next.
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
    """Every department of a local date that the caller may see, and the rule in force on that date."""

    on: date
    rule: RuleView | None
    departments: list[DepartmentReceivingView]


def _weeks(row: DecisionRow | ProposalRow, rule: PoolingRule | None) -> list[WeekView]:
    return [WeekView.of(week, rule) for week in parse_weeks(row.weeks)]


def _values(row: DecisionRow | ProposalRow) -> dict[str, object]:
    return {each.name: getattr(row, each.name) for each in fields(row)}
