"""Statutory terms: the instant from which a term counts, and its end without pauses and extensions."""

from datetime import date, datetime, timedelta
from typing import NamedTuple

from services.sla.domain.calendar import Calendar
from shared.kernel.centre import Centre, Term
from shared.kernel.errors import ProcedureUnknownError


def term_of(centre: Centre, procedure: str, received_at: datetime) -> Term | None:
    """Return the procedure's term in force on the local date of the receipt; None if the law sets no term.

    Raises ProcedureUnknownError if the catalogue does not have the procedure on that date.
    """
    on = centre.local_date(received_at)
    found = centre.procedure(procedure, on)
    if found is None:
        raise ProcedureUnknownError(f"Procedure {procedure} is not in the catalogue on {on}.")
    return found.term


class DueDate(NamedTuple):
    """The end of a term: the instant `at`.

    `last_day` is set for `calendar_day` only. If it is a day off, `at` is on the next working day.
    """

    at: datetime
    last_day: date | None = None


def counted_from(term: Term, received_at: datetime, calendar: Calendar) -> datetime:
    """Return the instant from which a term counts: the receipt if in working time, else the start of the next window.

    After the cut-off on a working day, it is the start of the next working day. Raises OutsideCalendarError.
    """
    worktime = calendar.worktime
    if term.cut_off is not None:
        local = received_at.astimezone(worktime.zone)
        if local.time() > term.cut_off and worktime.is_working_day(local.date()):
            return worktime.opening(worktime.working_day_after(local.date()))
    return worktime.from_opening(received_at)


def due(term: Term, start: datetime, calendar: Calendar) -> DueDate:
    """Return the end of a term without pauses, counted from `start` (see `counted_from`).

    Raises OutsideCalendarError.
    """
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
    """Return the working time that a term gives; None for a term that is counted in dates."""
    if term.unit == "working_hour":
        return timedelta(hours=term.value)
    if term.unit == "working_day" and term.counting == "by_hours":
        return term.value * calendar.standard_day
    return None


def end_of_calendar_days(last_day: date, calendar: Calendar) -> DueDate:
    """Return the end of a term of calendar days: the close of its last day.

    If the last day is a day off, it is the close of the next working day (Civil Code 2015, art. 148(5)). Raises
    OutsideCalendarError.
    """
    worktime = calendar.worktime
    return DueDate(worktime.closing(worktime.working_day_from(last_day)), last_day)
