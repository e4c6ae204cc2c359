"""`motcua due`: one due date by the centre's own calendar and terms, as sla would promise it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.sla.domain.calendar import compile_calendar
from services.sla.domain.clock import ClockFact, Deadline, derive
from services.sla.domain.terms import term_of
from shared.kernel.centre import Centre, Term

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def work_out(
    centre: Centre, received_at: datetime, *, procedure: str | None = None, term: Term | None = None
) -> Deadline:
    """The deadline of a dossier received at that instant, under a procedure's term or under a term of one's own.

    Raises UnknownProcedureError, and OutsideCalendarError where the calendar says nothing.
    """
    if procedure is not None:
        term = term_of(centre, procedure, received_at)
    return derive([ClockFact("received", received_at, received_at)], term, compile_calendar(centre.calendar))


def told(centre: Centre, deadline: Deadline) -> Iterator[str]:
    """The answer in sentences, in the centre's own time."""
    yield f"Received {_local(deadline.received_at, centre.zone)}."
    if deadline.due_at is None or deadline.counted_from is None or deadline.due_date is None:
        yield "The procedure has no term: no due date."
        return
    if deadline.counted_from != deadline.received_at:
        yield f"Counted from {_local(deadline.counted_from, centre.zone)}."
    yield f"Due {_local(deadline.due_at, centre.zone)}."
    if deadline.term_time is not None:
        yield f"Working time between: {_hours(deadline.term_time)}."
    yield f"Calendar {centre.calendar.name}: {centre.calendar.decision or 'without a decision'}."
    if deadline.provisional:
        yield "Provisional: it crosses a day off that is projected and not yet decided."
    for day in deadline.crosses_unconfirmed:
        yield f"It crosses {day}, which is said to become a day off and is not confirmed; it is counted as worked."


def _local(instant: datetime, zone: ZoneInfo) -> str:
    local = instant.astimezone(zone)
    return f"{_WEEKDAYS[local.weekday()]} {local:%Y-%m-%d %H:%M}"


def _hours(duration: timedelta) -> str:
    minutes = int(duration.total_seconds() // 60)
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
