"""The general counter as people see it and ask about it."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, StringConstraints

from services.routing.counter_store import DecisionRow, ProposalRow, ProposalState, VolumeRow, weeks_from
from services.routing.domain.pooling import Receiving, Week
from services.routing.models import After, Limit, LocalDate
from shared.contracts.envelope import Instant
from shared.kernel.centre import PoolingRule
from shared.service.http import Body

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class ApprovalRequest(Body):
    """`decision` is the number of the document; without a date it takes effect at the next start of a working week."""

    decision: Words
    effective_from: LocalDate | None = None


class RejectionRequest(Body):
    """`decision` is the number of the document that rejects, `reason` why."""

    decision: Words
    reason: Words


class DecisionRequest(Body):
    """A decision of the leader's own. `fixed`: the rule proposes nothing for the department until a later decision; an
    exemption is a department fixed at its own counters."""

    department: Code
    receiving: Receiving
    fixed: bool
    effective_from: LocalDate | None = None
    decision: Words
    reason: Words


class ProposalsQuery(Body):
    """Which proposals; all if left out."""

    department: Code | None = None
    state: ProposalState | None = None
    after: After = None
    limit: Limit = 100


class DecisionsQuery(Body):
    """Whose decisions, and as of which local date (today if left out) their standing is told."""

    department: Code | None = None
    on: LocalDate | None = None


class VolumesQuery(Body):
    """The weeks that begin from `first` to `last` (Mondays; the last 26 closed ones if left out), of one department."""

    first: LocalDate | None = None
    last: LocalDate | None = None
    department: Code | None = None


class WeekView(BaseModel):
    """A week's figures for the rule: `volume` is what counts, scaled to a full week; null where the week is skipped."""

    week: date
    dossiers: int
    working_days: int
    volume: float | None


class RuleView(BaseModel):
    """The parameters in force, and the decision by which they are."""

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


class ProposalView(BaseModel):
    """A proposal with its figures, and what became of it."""

    proposal_id: UUID
    department: str
    receiving: Receiving
    weeks: list[WeekView]
    rule: str
    coming: date
    proposed_at: Instant
    state: ProposalState
    decided_by: str | None
    decided_at: Instant | None
    decision: str | None
    reason: str | None
    effective_from: date | None


class Proposals(BaseModel):
    """One page of them, oldest first."""

    proposals: list[ProposalView]
    next: UUID | None


class DecisionView(BaseModel):
    """A signed decision. `standing` on the date asked for: `signed` (not yet), `in_force`, or `superseded`."""

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
    standing: Literal["signed", "in_force", "superseded"]


class Decisions(BaseModel):
    """All of them, by department and date."""

    on: date
    decisions: list[DecisionView]


class ReceivingPlaceView(BaseModel):
    """Who receives for a department on a local date, and by what: no `decision` where it has always been so.

    `next` is the decision that takes effect after it.
    """

    department: str
    on: date
    receiving: Receiving
    counters: tuple[int, ...]
    decision: DecisionView | None
    next: DecisionView | None
    reason: str


class VolumeView(BaseModel):
    """A department's closed week. `received` by channel, online beside; `later` came after the week was closed, and
    changes no figure."""

    week: date
    department: str
    working_days: int
    received: dict[str, int]
    dossiers: int | None
    volume: float | None
    later: int


class OpenWeekView(BaseModel):
    """The oldest week that is not closed: when it closes, what keeps it open though it could close, and what has come
    so far, by department and channel."""

    week: date
    closes_at: Instant | None
    waits_for: str | None
    received: dict[str, dict[str, int]]


class Volumes(BaseModel):
    """Closed weeks, by week and department, and the one that closes next. What is shown is scaled by today's `rule`."""

    rule: RuleView | None
    volumes: list[VolumeView]
    open: OpenWeekView | None


class StandingView(BaseModel):
    """A department today: who receives, since when (null: always), whether that is fixed, its last weeks, and what is
    proposed or signed about it."""

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
    departments: list[StandingView]


def rule_view(rule: PoolingRule | None) -> RuleView | None:
    """The parameters as they are shown."""
    return None if rule is None else RuleView.model_validate(rule, from_attributes=True)


def week_view(week: Week, rule: PoolingRule | None) -> WeekView:
    """A week's figures; the volume by that rule."""
    volume = round(float(week.volume(rule)), 2) if rule is not None and week.counts(rule) else None
    return WeekView(week=week.start, dossiers=week.dossiers, working_days=week.working_days, volume=volume)


def proposal_view(row: ProposalRow, rule: PoolingRule | None) -> ProposalView:
    """A proposal as it is shown."""
    weeks = [week_view(week, rule) for week in weeks_from(row.weeks)]
    return ProposalView.model_validate(_fields(row) | {"weeks": weeks})


def decision_view(row: DecisionRow, others: Sequence[DecisionRow], on: date, rule: PoolingRule | None) -> DecisionView:
    """A decision as it stands on a date among the department's `others`, which it may be one of."""
    followed = any(row.effective_from < each.effective_from <= on for each in others)
    standing = "signed" if row.effective_from > on else "superseded" if followed else "in_force"
    weeks = [week_view(week, rule) for week in weeks_from(row.weeks)]
    return DecisionView.model_validate(_fields(row) | {"weeks": weeks, "standing": standing})


def volume_view(row: VolumeRow, rule: PoolingRule | None, now: dict[str, int]) -> VolumeView:
    """A closed week as it is shown; `now` is what the dossiers come to by now."""
    counted = None if rule is None else row.counted(rule.channels)
    return VolumeView(
        week=row.week,
        department=row.department,
        working_days=row.working_days,
        received=row.received,
        dossiers=None if counted is None else counted.dossiers,
        volume=None if counted is None else week_view(counted, rule).volume,
        later=sum(now.values()) - sum(row.received.values()),
    )


def _fields(row: DecisionRow | ProposalRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__slots__}
