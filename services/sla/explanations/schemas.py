"""The response of an explanation, used over HTTP and by `motcua due`."""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, Field, WithJsonSchema

from services.sla.clocks.events import term_data, whole_seconds
from services.sla.domain.clock import State, WaitingFor
from services.sla.domain.explanation import Day, ExplainedShift, Explanation, Reason
from services.sla.domain.term_run import Pause
from services.sla.explanations.sentences import Lang, sentences
from shared.contracts.deadlines import Term
from shared.contracts.envelope import Instant
from shared.kernel.calendar_rules import CalendarException, Kind, Status

SpanView = Annotated[
    tuple[Instant, Instant],
    WithJsonSchema({"type": "array", "items": {"type": "string", "format": "date-time"}, "minItems": 2, "maxItems": 2}),
]


class ExceptionView(BaseModel):
    """The exception of a date and the decision for it. `known_from` is null if it was known from the start."""

    kind: Kind
    status: Status
    name: str
    decided_by: str | None
    known_from: Instant | None


class DayView(BaseModel):
    """One local date of an explanation.

    `counted` are pairs of instants between which working time counts towards the term. `exception` is the exception
    that rules the date (null: its weekday does), `unconfirmed` an exception that does not count. `number` is the day's
    number within the term, if days are counted.
    """

    date: date
    worked: bool
    counted: tuple[SpanView, ...]
    counted_seconds: int
    paused_seconds: int
    number: int | None
    exception: ExceptionView | None
    unconfirmed: ExceptionView | None


class ShiftView(BaseModel):
    """A pause (`from`, `to`) or an extension (`at`), the due date before and after it, and the working time left.

    `left_seconds` is the working time left at the start of a pause, or after an extension that was made during a pause.
    `adds_seconds` is the working time that an extension adds to the term. `after_last_day` is true for a pause of a
    term in calendar days that began after the last day: its days are added to the date of `due_before` instead.
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
    after_last_day: bool


class ExplanationView(BaseModel):
    """The explanation of a dossier's due date.

    `given_seconds` is the sum of the counted seconds of `days`; during a pause, plus `remaining_seconds`. A term in
    calendar days has `given_days` instead: it is due on the day with this number, or on the next working day.
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


def explanation_view(explanation: Explanation, lang: Lang) -> ExplanationView:
    """Build the response for an explanation, with sentences in that language."""
    deadline, rules = explanation.deadline, explanation.calendar.rules
    return ExplanationView(
        state=deadline.state,
        waiting_for=deadline.waiting_for,
        as_known_at=explanation.as_known_at,
        calendar=rules.name,
        zone=rules.zone,
        calendar_decision=rules.decision,
        term=None if deadline.term is None else term_data(deadline.term),
        received_at=deadline.received_at,
        counted_from=deadline.counted_from,
        counted_from_reason=explanation.reason,
        first_due_at=deadline.first_due_at,
        shifts=tuple(_shift(each) for each in explanation.shifts),
        days=tuple(_day(day) for day in explanation.days),
        given_seconds=whole_seconds(explanation.given),
        given_days=explanation.given_days,
        counted_seconds=_seconds(explanation.counted),
        remaining_seconds=whole_seconds(deadline.remaining),
        remaining_days=deadline.remaining_days,
        due_at=deadline.due_at,
        due_date=deadline.due_date,
        provisional=deadline.provisional,
        crosses_unconfirmed=deadline.crosses_unconfirmed,
        lang=lang,
        sentences=tuple(sentences(explanation, lang)),
    )


def _shift(each: ExplainedShift) -> ShiftView:
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
            "left_seconds": whole_seconds(shift.left),
            "adds_seconds": _seconds(each.adds),
            "after_last_day": shift.after_last_day,
        }
    )


def _day(day: Day) -> DayView:
    return DayView(
        date=day.on,
        worked=day.worked,
        counted=day.counted,
        counted_seconds=_seconds(day.length),
        paused_seconds=_seconds(day.paused),
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
