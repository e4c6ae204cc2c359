"""What calendars, proposals and rehearsals look like over HTTP: requests in, answers out."""

from datetime import date, time
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator

from services.sla import proposals
from services.sla.calendar_store import CalendarRow, ProposalRow
from services.sla.domain.rehearsal import Compared, Tally
from services.sla.written import Day, LocalTime
from shared.contracts.envelope import Instant
from shared.kernel.calendar_rules import CalendarException, Kind, Status, Window
from shared.service.http import Body

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class ProposedException(Body):
    """A date that is to differ. `windows` are pairs of local times, HH:MM; none: the standard ones, for `half_day`
    the first of them."""

    date: Day
    kind: Kind
    status: Status
    windows: tuple[tuple[LocalTime, LocalTime], ...] = Field(default=(), max_length=10)
    name: Words

    def exception(self) -> CalendarException:
        """As the domain has it, still without decision and instant."""
        windows = tuple(Window(opens, closes) for opens, closes in self.windows)
        return CalendarException(self.date, self.kind, self.status, windows, self.name)

    @model_validator(mode="after")
    def _sound(self) -> "ProposedException":
        self.exception()  # says what is wrong with it
        return self


class ProposalRequest(Body):
    """Exceptions to add, and (left out: as before) up to which date the calendar is to cover time."""

    exceptions: tuple[ProposedException, ...] = Field(default=(), max_length=400)
    last_date: Day | None = None


class ApprovalRequest(Body):
    """`decision` is the number of the document."""

    decision: Words


class DiscardRequest(Body):
    """Why it is put aside."""

    reason: Words


class CalendarExceptionView(BaseModel):
    """A dated exception. `known_from` null: since always, and of a proposal: from its approval on."""

    date: date
    kind: Kind
    status: Status
    windows: tuple[tuple[time, time], ...]
    name: str
    decided_by: str | None
    known_from: Instant | None


class VersionView(BaseModel):
    """How a version of the calendar came: the first one from the configuration, later ones by a proposal."""

    version: int
    decision: str | None
    since: Instant
    decided_by: str | None = None
    proposal_id: UUID | None = None


class CalendarView(BaseModel):
    """The rules in force. Of several exceptions for a date the one known last counts."""

    name: str
    version: int
    zone: str
    weekdays: tuple[int, ...]
    windows: tuple[tuple[time, time], ...]
    first_date: date
    last_date: date
    decision: str | None
    exceptions: tuple[CalendarExceptionView, ...]
    history: tuple[VersionView, ...]


class ProposalView(BaseModel):
    """A proposal, and what became of it. `calendar_version` is the one that its approval made."""

    proposal_id: UUID
    calendar: str
    base_version: int
    exceptions: tuple[CalendarExceptionView, ...]
    last_date: date | None
    state: Literal["proposed", "approved", "discarded"]
    proposed_by: str
    proposed_at: Instant
    decided_by: str | None
    decided_at: Instant | None
    decision: str | None
    reason: str | None
    calendar_version: int | None


class Proposals(BaseModel):
    """One page of them, oldest first."""

    proposals: list[ProposalView]
    next: UUID | None


class DepartmentTally(BaseModel):
    """Open clocks and what becomes of their due dates: see RehearsalView."""

    department: str | None
    open: int
    unmoved: int
    later: int
    earlier: int
    gained: int
    lost: int
    past: int
    first_moved: date | None
    last_moved: date | None


class RehearsalView(BaseModel):
    """What the proposal would do to the clocks that are open at `counted_at`.

    `gained` had no due date (the calendar ended too early) and would have one, `lost` the other way round; `past` would
    be due before now, and are not yet. `first_moved` and `last_moved` are the first and the last of the dates from
    which due dates go away. `not_yet_swept` clocks still wait for the calendar's present version, and are left out.
    """

    proposal_id: UUID
    calendar: str
    base_version: int
    counted_at: Instant
    not_yet_swept: int
    departments: list[DepartmentTally]


class Move(BaseModel):
    """A dossier whose due date would move; null: none, before or after."""

    dossier_id: UUID
    code: str | None
    department: str | None
    due_before: Instant | None
    due_after: Instant | None


class Moves(BaseModel):
    """One page, in the order of `dossier_id`; it may be short, even empty, while there is a `next`."""

    moves: list[Move]
    next: UUID | None


def tally(department: str | None, counted: Tally) -> DepartmentTally:
    """A department's sums, as they are answered."""
    members = {name: getattr(counted, name) for name in DepartmentTally.model_fields if name != "department"}
    return DepartmentTally(department=department, **members)


def calendar_view(row: CalendarRow) -> CalendarView:
    """A calendar as it is answered."""
    rules = proposals.rules_of(row)
    return CalendarView(
        name=rules.name,
        version=row.version,
        zone=rules.zone,
        weekdays=tuple(sorted(rules.weekdays)),
        windows=_windows(rules.windows),
        first_date=rules.first_date,
        last_date=rules.last_date,
        decision=rules.decision,
        exceptions=tuple(_exception(each) for each in rules.exceptions),
        history=tuple(VersionView.model_validate(each) for each in row.history),
    )


def proposal_view(row: ProposalRow) -> ProposalView:
    """A proposal as it is answered."""
    exceptions = tuple(_exception(each) for each in proposals.change_of(row).exceptions)
    kept = {name: getattr(row, name) for name in ProposalView.model_fields if name != "exceptions"}
    return ProposalView(exceptions=exceptions, **kept)


def _exception(each: CalendarException) -> CalendarExceptionView:
    return CalendarExceptionView(
        date=each.on,
        kind=each.kind,
        status=each.status,
        windows=_windows(each.windows),
        name=each.name,
        decided_by=each.decided_by,
        known_from=each.known_from,
    )


def _windows(windows: tuple[Window, ...]) -> tuple[tuple[time, time], ...]:
    return tuple((each.opens, each.closes) for each in windows)


def move(each: Compared) -> Move:
    """A clock that moves, as it is answered."""
    return Move(
        dossier_id=each.dossier_id,
        code=each.code,
        department=each.department,
        due_before=each.before,
        due_after=each.after,
    )
