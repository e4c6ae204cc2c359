"""The terms of the law: from which instant they count, and when they end if nothing interrupts them."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from services.sla.domain.calendar import Calendar
from shared.kernel.centre import Centre, Term
from shared.kernel.errors import MotcuaError


class UnknownProcedureError(MotcuaError):
    """The catalogue has no such procedure on that date; its dossiers wait, listed."""

    def __init__(self, procedure: str, on: date) -> None:
        super().__init__(f"procedure {procedure} is not in the catalogue on {on}")
        self.procedure = procedure
        self.on = on


def term_of(centre: Centre, procedure: str, received_at: datetime) -> Term | None:
    """The procedure's term in force on the local date of its receipt; None: the law gives none.

    Raises UnknownProcedureError.
    """
    on = centre.local_date(received_at)
    found = centre.procedure(procedure, on)
    if found is None:
        raise UnknownProcedureError(procedure, on)
    return found.term


class DueDate(NamedTuple):
    """When a term ends. `last_day` is kept apart for `calendar_day`, whose end may have moved off a day off."""

    at: datetime
    last_day: date | None = None


def counted_from(term: Term, received_at: datetime, calendar: Calendar) -> datetime:
    """The instant from which the term counts: the receipt itself in working time, otherwise the next window's start.

    Received later than the cut-off on a working day: the start of the next working day.
    Raises OutsideCalendarError.
    """
    worktime = calendar.worktime
    if term.cut_off is not None:
        local = received_at.astimezone(worktime.zone)
        if local.time() > term.cut_off and worktime.is_working_day(local.date()):
            return worktime.opening(worktime.working_day_after(local.date()))
    return worktime.from_opening(received_at)


def due(term: Term, start: datetime, calendar: Calendar) -> DueDate:
    """When the term ends, counted from `start` (a `counted_from`) without a pause. Raises OutsideCalendarError."""
    worktime = calendar.worktime
    length = working_time(term, calendar)
    if length is not None:
        return DueDate(worktime.add(start, length))
    counted_date = worktime.local_date(start)
    if term.unit == "same_day":
        return DueDate(worktime.closing(counted_date))
    if term.unit == "calendar_day":
        return end_of_calendar_days(counted_date + timedelta(days=term.value), calendar)
    return DueDate(worktime.closing(worktime.working_day_after(counted_date, term.value)))


def working_time(term: Term, calendar: Calendar) -> timedelta | None:
    """How much working time a term gives; None for one that is counted in dates."""
    if term.unit == "working_hour":
        return timedelta(hours=term.value)
    if term.unit == "working_day" and term.counting == "by_hours":
        return term.value * calendar.standard_day
    return None


def end_of_calendar_days(last_day: date, calendar: Calendar) -> DueDate:
    """The close of the last day, or of the next working day where that is none (Civil Code 2015, art. 148(5))."""
    worktime = calendar.worktime
    return DueDate(worktime.closing(worktime.working_day_from(last_day)), last_day)
