"""Requests and responses about calendars, proposals and rehearsals."""

from datetime import date, time
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, WithJsonSchema, model_validator

from services.sla.calendars.store import CalendarRow, ProposalRow
from services.sla.domain.rehearsal import ComparedClock, Tally
from services.sla.parameters import LocalDate, LocalTime
from shared.contracts.envelope import Instant
from shared.kernel.calendar_rules import CalendarException, Kind, Status, Window
from shared.service.http import Body
from shared.service.paging import Page

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_PAIR = WithJsonSchema({"type": "array", "items": {"type": "string", "format": "time"}, "minItems": 2, "maxItems": 2})
"""The schema of a fixed pair with `items`, which clients generated from OpenAPI 3.0 tools need."""
TimePair = Annotated[tuple[LocalTime, LocalTime], _PAIR]
WindowView = Annotated[tuple[time, time], _PAIR]


class ProposedException(Body):
    """A date that differs from its weekday. `windows` are pairs of local times, HH:MM.

    Without windows the standard ones apply, for `half_day` the first of them.
    """

    date: LocalDate
    kind: Kind
    status: Status
    windows: tuple[TimePair, ...] = Field(default=(), max_length=10)
    name: Text

    def exception(self) -> CalendarException:
        """The exception without decision and `known_from`."""
        windows = tuple(Window(opens, closes) for opens, closes in self.windows)
        return CalendarException(self.date, self.kind, self.status, windows, self.name)

    @model_validator(mode="after")
    def _valid(self) -> "ProposedException":
        self.exception()  # raises ValueError with the reason
        return self


class ProposalRequest(Body):
    """Exceptions to add, and the new last date of the calendar (default: unchanged)."""

    exceptions: tuple[ProposedException, ...] = Field(default=(), max_length=400)
    last_date: LocalDate | None = None


class ApprovalRequest(Body):
    """`decision` is the number of the signed document."""

    decision: Text


class RejectionRequest(Body):
    """The reason of the rejection."""

    reason: Text


class CalendarExceptionView(BaseModel):
    """A dated exception. `known_from` is null if it is known since always, or is part of an open proposal."""

    date: date
    kind: Kind
    status: Status
    windows: tuple[WindowView, ...]
    name: str
    decided_by: str | None
    known_from: Instant | None


class VersionView(BaseModel):
    """A version of the calendar: the first is from the configuration, each later one from a proposal."""

    version: int
    decision: str | None
    since: Instant
    decided_by: str | None = None
    proposal_id: UUID | None = None


class CalendarView(BaseModel):
    """The rules in force. Of several exceptions for one date, the one known last counts."""

    name: str
    version: int
    zone: str
    weekdays: tuple[int, ...]
    windows: tuple[WindowView, ...]
    first_date: date
    last_date: date
    decision: str | None
    exceptions: tuple[CalendarExceptionView, ...]
    history: tuple[VersionView, ...]


class ProposalView(BaseModel):
    """A proposal and the decision about it. `calendar_version` is the version that its approval made."""

    proposal_id: UUID
    calendar: str
    base_version: int
    exceptions: tuple[CalendarExceptionView, ...]
    last_date: date | None
    state: Literal["proposed", "approved", "rejected"]
    proposed_by: str
    proposed_at: Instant
    decided_by: str | None
    decided_at: Instant | None
    decision: str | None
    reason: str | None
    calendar_version: int | None


class DepartmentTally(BaseModel):
    """The number of a department's open clocks, by the effect on their due dates."""

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
    """The effect of the proposal on the clocks that are open at `counted_at`.

    `gained` clocks have no due date (the calendar ends too early) and would have one, `lost` the reverse. `past` clocks
    are due in the future and would be due in the past. `first_moved` and `last_moved` are the first and the last date
    that a due date moves away from. `not_yet_swept` clocks are not derived by the calendar's present version yet, and
    are left out.
    """

    proposal_id: UUID
    calendar: str
    base_version: int
    counted_at: Instant
    not_yet_swept: int
    departments: list[DepartmentTally]


class Move(BaseModel):
    """A dossier whose due date would move; a due date is null if there is none."""

    dossier_id: UUID
    code: str | None
    department: str | None
    due_before: Instant | None
    due_after: Instant | None


class Moves(Page[Move]):
    """One page in the order of `dossier_id`. It may be short, even empty, although there is a `next` page."""


def tally_view(department: str | None, tally: Tally) -> DepartmentTally:
    """The response for a department's tally."""
    members = {name: getattr(tally, name) for name in DepartmentTally.model_fields if name != "department"}
    return DepartmentTally(department=department, **members)


def calendar_view(row: CalendarRow) -> CalendarView:
    """The response for a calendar."""
    rules = row.calendar_rules()
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
    """The response for a proposal."""
    exceptions = tuple(_exception(each) for each in row.change().exceptions)
    members = {name: getattr(row, name) for name in ProposalView.model_fields if name != "exceptions"}
    return ProposalView(exceptions=exceptions, **members)


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


def move_view(clock: ComparedClock) -> Move:
    """The response for a clock whose due date would move."""
    return Move(
        dossier_id=clock.dossier_id,
        code=clock.code,
        department=clock.department,
        due_before=clock.before,
        due_after=clock.after,
    )
