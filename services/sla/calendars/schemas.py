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
    """A proposed date whose working time differs from that of its weekday.

    `windows` are pairs of local times, HH:MM. Without windows, a `working` date has the calendar's standard windows and
    a `half_day` the first of these; an `off` date has no windows.
    """

    date: LocalDate
    kind: Kind
    status: Status
    windows: tuple[TimePair, ...] = Field(default=(), max_length=10)
    name: Text

    def exception(self) -> CalendarException:
        """Return the exception as a domain value, without decision and `known_from`."""
        windows = tuple(Window(opens, closes) for opens, closes in self.windows)
        return CalendarException(self.date, self.kind, self.status, windows, self.name)

    @model_validator(mode="after")
    def _valid(self) -> "ProposedException":
        self.exception()  # raises ValueError with the reason
        return self


class ProposalRequest(Body):
    """A proposed change of a calendar: exceptions to add, and the calendar's new last date (default: unchanged)."""

    exceptions: tuple[ProposedException, ...] = Field(default=(), max_length=400)
    last_date: LocalDate | None = None


class ApprovalRequest(Body):
    """The approval of a proposal. `decision` is the number of the signed document."""

    decision: Text


class RejectionRequest(Body):
    """The rejection of a proposal, with the reason."""

    reason: Text


class CalendarExceptionView(BaseModel):
    """A date whose working time differs from that of its weekday, in a calendar or in a proposal.

    `known_from` is null in a proposal, and for an exception that was known from the start.
    """

    date: date
    kind: Kind
    status: Status
    windows: tuple[WindowView, ...]
    name: str
    decided_by: str | None
    known_from: Instant | None


class VersionView(BaseModel):
    """A version of a calendar, in force since `since`. The first is from the configuration, others from proposals."""

    version: int
    decision: str | None
    since: Instant
    decided_by: str | None = None
    proposal_id: UUID | None = None


class CalendarView(BaseModel):
    """A calendar's rules in force. `history` has all its versions, oldest first.

    Of several exceptions for one date, the one known last counts; unconfirmed ones never count.
    """

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
    """A proposal to change version `base_version` of a calendar, and the leader's decision about it, if made.

    `decision` is the signed document of an approval, `reason` is that of a rejection. `calendar_version` is the version
    that the approval made.
    """

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
    """How many open clocks of one department a proposal affects in which way; RehearsalView describes the counts."""

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
    """The effect of a proposal on the clocks that are open at `counted_at`.

    `gained` clocks have no due date now (such as when the calendar ends too early) and would have one, `lost` the
    reverse. `past` clocks would be due in the past, and now are due in the future or have no due date. `first_moved`
    and `last_moved` are the first and the last local date that a due date would move away from. `not_yet_swept` clocks,
    of all departments, are not derived by the calendar's present version yet, and are left out.
    """

    proposal_id: UUID
    calendar: str
    base_version: int
    counted_at: Instant
    not_yet_swept: int
    departments: list[DepartmentTally]


class Move(BaseModel):
    """A dossier whose due date a proposal would move, with the due date before and after (null: none)."""

    dossier_id: UUID
    code: str | None
    department: str | None
    due_before: Instant | None
    due_after: Instant | None


class Moves(Page[Move]):
    """One page of moving dossiers, by `dossier_id`. It may be short, even empty, although there is a `next` page."""


def tally_view(department: str | None, tally: Tally) -> DepartmentTally:
    """Build the response for the tally of one department (None: clocks without a department)."""
    members = {name: getattr(tally, name) for name in DepartmentTally.model_fields if name != "department"}
    return DepartmentTally(department=department, **members)


def calendar_view(row: CalendarRow) -> CalendarView:
    """Build the response for a calendar from its row."""
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
    """Build the response for a proposal from its row."""
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
    """Build the response for a clock whose due date would move."""
    return Move(
        dossier_id=clock.dossier_id,
        code=clock.code,
        department=clock.department,
        due_before=clock.before,
        due_after=clock.after,
    )
