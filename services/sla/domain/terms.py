"""The terms of the law: from which instant they count, and when they end if nothing interrupts them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, get_args

from services.sla.domain.calendar import Calendar
from shared.kernel.errors import MotcuaError

Unit = Literal["working_hour", "working_day", "calendar_day", "same_day"]
Counting = Literal["by_hours", "by_days"]


@dataclass(frozen=True, slots=True)
class Term:
    """`value` units; 0 only with `same_day`. `cut_off`: received later than this local time counts the day after."""

    value: int
    unit: Unit
    counting: Counting = "by_hours"
    cut_off: time | None = None

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit) or self.counting not in get_args(Counting):
            raise ValueError(f"unknown unit {self.unit!r} or counting {self.counting!r}")
        if self.unit == "same_day" and self.value != 0:
            raise ValueError("the value of same_day is 0")
        if self.unit != "same_day" and self.value <= 0:
            raise ValueError(f"a term of {self.value} {self.unit} is none; say no term instead")
        if self.counting == "by_days" and self.unit != "working_day":
            raise ValueError(f"counting by_days is for working_day, not for {self.unit}")


@dataclass(frozen=True, slots=True)
class TermInForce:
    """A procedure's term (None: the law gives none) from `valid_from` to `valid_to`, both included."""

    term: Term | None
    valid_from: date
    valid_to: date | None = None


class UnknownProcedureError(MotcuaError):
    """The catalogue has no such procedure on that date; its dossiers wait, listed."""

    def __init__(self, procedure: str, on: date) -> None:
        super().__init__(f"procedure {procedure} is not in the catalogue on {on}")
        self.procedure = procedure
        self.on = on


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of all procedures, by national code."""

    by_procedure: Mapping[str, Sequence[TermInForce]]

    def term(self, procedure: str, on: date) -> Term | None:
        """The term in force on a local date; None if there is none. Raises UnknownProcedureError."""
        for entry in self.by_procedure.get(procedure, ()):
            if entry.valid_from <= on and (entry.valid_to is None or on <= entry.valid_to):
                return entry.term
        raise UnknownProcedureError(procedure, on)


@dataclass(frozen=True, slots=True)
class DueDate:
    """When a term ends. `last_day` is kept apart for `calendar_day`, whose end may have moved off a day off."""

    at: datetime
    last_day: date | None = None


def counted_from(term: Term, received_at: datetime, calendar: Calendar) -> datetime:
    """The instant from which the term counts: the receipt itself in working time, otherwise the next window's start.

    Received later than the cut-off on a working day: the start of the next working day.
    Raises OutsideCalendarError.
    """
    worktime = calendar.worktime
    local = received_at.astimezone(worktime.zone)
    if term.cut_off is not None and local.time() > term.cut_off and worktime.is_working_day(local.date()):
        return worktime.opening(worktime.working_day_after(local.date()))
    return worktime.from_opening(received_at)


def due(term: Term, start: datetime, calendar: Calendar) -> DueDate:
    """When the term ends, counted from `start` (a `counted_from`) without a pause. Raises OutsideCalendarError."""
    worktime = calendar.worktime
    counted_date = worktime.local_date(start)
    if term.unit == "same_day":
        return DueDate(worktime.closing(counted_date))
    if term.unit == "calendar_day":
        return end_of_calendar_days(counted_date + timedelta(days=term.value), calendar)
    if term.unit == "working_hour":
        return DueDate(worktime.add(start, timedelta(hours=term.value)))
    if term.counting == "by_days":
        return DueDate(worktime.closing(worktime.working_day_after(counted_date, term.value)))
    return DueDate(worktime.add(start, term.value * calendar.standard_day))


def end_of_calendar_days(last_day: date, calendar: Calendar) -> DueDate:
    """The close of the last day, or of the next working day where that is none (Civil Code 2015, art. 148(5))."""
    worktime = calendar.worktime
    return DueDate(worktime.closing(worktime.working_day_from(last_day)), last_day)
