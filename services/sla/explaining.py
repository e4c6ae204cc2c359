"""Explanations as they are answered: the same data and sentences over HTTP and in the command."""

from datetime import date, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, Field

from services.sla.domain.clock import State, WaitingFor
from services.sla.domain.explanation import Day, Explained, Explanation, Reason
from services.sla.domain.running import Pause
from services.sla.telling import seconds, told_term
from services.sla.wording import Lang, sentences
from shared.contracts.deadlines import Term
from shared.contracts.envelope import Instant
from shared.kernel.calendar_rules import CalendarException, Kind, Status


class ExceptionView(BaseModel):
    """A date's exception and its decision. `known_from` null: since always."""

    kind: Kind
    status: Status
    name: str
    decided_by: str | None
    known_from: Instant | None


class DayView(BaseModel):
    """One local date. `counted` are pairs of instants between which working time counts; `paused` is what stood.

    `exception` is the one by which the date is worked or off (null: its weekday), `unconfirmed` one that does not
    count. `number` says which day of the term it is, where days are counted.
    """

    date: date
    worked: bool
    counted: tuple[tuple[Instant, Instant], ...]
    counted_seconds: int
    paused_seconds: int
    number: int | None
    exception: ExceptionView | None
    unconfirmed: ExceptionView | None


class ShiftView(BaseModel):
    """A pause (`from`, `to`) or an extension (`at`), the due date before and after it, and the working time then left.

    `adds_seconds` is what an extension adds to the working time of the term.
    """

    what: Literal["pause", "extension"]
    from_: Instant | None = Field(default=None, alias="from")
    to: Instant | None = None
    ground: str | None = None
    at: Instant | None = None
    working_days: int | None = None
    to_date: date | None = None
    due_before: Instant | None
    due_after: Instant | None
    left_seconds: int | None
    adds_seconds: int


class ExplanationView(BaseModel):
    """Why a dossier is due when it is due.

    The counted seconds of `days` add up to `given_seconds`; while paused, with `remaining_seconds`. For a term in
    calendar days they do not: it is due on the first working day from the day numbered `given_days` on.
    """

    state: State
    waiting_for: WaitingFor | None
    as_known_at: Instant | None
    calendar: str
    zone: str
    calendar_decision: str | None
    term: Term | None
    received_at: Instant
    counted_from: Instant | None
    counted_from_reason: Reason | None
    first_due_at: Instant | None
    shifts: tuple[ShiftView, ...]
    days: tuple[DayView, ...]
    given_seconds: int | None
    given_days: int | None
    counted_seconds: int
    remaining_seconds: int | None
    remaining_days: int | None
    due_at: Instant | None
    due_date: date | None
    provisional: bool
    crosses_unconfirmed: tuple[date, ...]
    lang: Lang
    sentences: tuple[str, ...]


def view(explanation: Explanation, lang: Lang) -> ExplanationView:
    """An explanation as data and, in that language, as sentences."""
    deadline, rules = explanation.deadline, explanation.calendar.rules
    return ExplanationView(
        state=deadline.state,
        waiting_for=deadline.waiting_for,
        as_known_at=explanation.as_known_at,
        calendar=rules.name,
        zone=rules.zone,
        calendar_decision=rules.decision,
        term=None if deadline.term is None else told_term(deadline.term),
        received_at=deadline.received_at,
        counted_from=deadline.counted_from,
        counted_from_reason=explanation.reason,
        first_due_at=deadline.first_due_at,
        shifts=tuple(_shift(each) for each in explanation.shifts),
        days=tuple(_day(day) for day in explanation.days),
        given_seconds=seconds(explanation.given),
        given_days=explanation.given_days,
        counted_seconds=_seconds(explanation.counted),
        remaining_seconds=seconds(deadline.remaining),
        remaining_days=deadline.remaining_days,
        due_at=deadline.due_at,
        due_date=deadline.due_date,
        provisional=deadline.provisional,
        crosses_unconfirmed=deadline.crosses_unconfirmed,
        lang=lang,
        sentences=tuple(sentences(explanation, lang)),
    )


def _shift(each: Explained) -> ShiftView:
    by, shift = each.shift.by, each.shift
    start: datetime | None = None
    values: dict[str, object]
    if isinstance(by, Pause):
        start, values = by.start, {"what": "pause", "to": by.end, "ground": by.ground}
    else:
        values = {"what": "extension", "at": by.at, "working_days": by.working_days, "to_date": by.to_date}
    return ShiftView.model_validate(
        values
        | {
            "from": start,
            "due_before": shift.before,
            "due_after": shift.after,
            "left_seconds": seconds(shift.left),
            "adds_seconds": _seconds(each.adds),
        }
    )


def _day(day: Day) -> DayView:
    return DayView(
        date=day.on,
        worked=day.worked,
        counted=day.counted,
        counted_seconds=_seconds(day.length),
        paused_seconds=_seconds(day.stood),
        number=day.number,
        exception=_exception(day.ruled_by),
        unconfirmed=_exception(day.unconfirmed),
    )


def _exception(exception: CalendarException | None) -> ExceptionView | None:
    if exception is None:
        return None
    return ExceptionView(
        kind=exception.kind,
        status=exception.status,
        name=exception.name,
        decided_by=exception.decided_by,
        known_from=exception.known_from,
    )


def _seconds(duration: timedelta) -> int:
    return duration // timedelta(seconds=1)
