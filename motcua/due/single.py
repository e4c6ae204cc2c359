"""The due date of one case by the centre's own calendar and terms, derived by sla's rules, as sentences."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from motcua.due.errors import CaseError
from services.sla.domain.calendar import Calendar, compile_calendar, rules_known_at
from services.sla.domain.clock import ClockChange, Deadline, derive
from services.sla.domain.terms import term_of
from shared.kernel.calendar_rules import CalendarRules
from shared.kernel.centre import Centre, Term

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def rules_of(centre: Centre, name: str | None) -> CalendarRules:
    """Return the rules of the centre's calendar `name` (None: its main one). Raises CaseError for an unknown name."""
    found = next((rules for rules in centre.calendars if name in (None, rules.name)), None)
    if found is None:
        listed = ", ".join(rules.name for rules in centre.calendars)
        raise CaseError("calendar-unknown", f"The centre has no calendar {name!r}. Use one of {listed}.")
    return found


def in_zone(moment: datetime | None, rules: CalendarRules) -> datetime | None:
    """Add the calendar's zone to an instant without an offset. Return one with an offset, or None, unchanged."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=ZoneInfo(rules.zone))


def calculate(
    centre: Centre,
    rules: CalendarRules,
    received_at: datetime,
    *,
    procedure: str | None = None,
    term: Term | None = None,
    as_known_at: datetime | None = None,
) -> tuple[Deadline, Calendar]:
    """Derive the deadline of a dossier received at `received_at`. Return it, and the calendar that was used.

    The term is that of `procedure` in force on the date of the receipt; without a procedure, it is `term` (None: no
    term). With `as_known_at`, only calendar changes known at that instant count. Raises ProcedureUnknownError,
    CaseError if `as_known_at` is before the receipt, and OutsideCalendarError for dates that the calendar does not
    cover.
    """
    if procedure is not None:
        term = term_of(centre, procedure, received_at)
    if as_known_at is not None:
        if as_known_at < received_at:
            raise CaseError(
                "known-before-receipt",
                "--as-known-at is before --received: nothing was known then. Use a later instant.",
            )
        rules = rules_known_at(rules, as_known_at)
    calendar = compile_calendar(rules)
    return derive([ClockChange("received", received_at, received_at)], term, calendar), calendar


def describe(deadline: Deadline, calendar: Calendar) -> Iterator[str]:
    """Yield English sentences that describe the deadline, with times in the calendar's zone."""
    zone = calendar.worktime.zone
    yield f"Received {_local(deadline.received_at, zone)}."
    if deadline.due_at is None or deadline.counted_from is None or deadline.due_date is None:
        yield "The procedure has no term: no due date."
        return
    if deadline.counted_from != deadline.received_at:
        yield f"Counted from {_local(deadline.counted_from, zone)}."
    yield f"Due {_local(deadline.due_at, zone)}."
    if deadline.term_time is not None:
        yield f"Working time between: {_hours(deadline.term_time)}."
    yield f"Calendar {calendar.rules.name}: {calendar.rules.decision or 'no decision'}."
    if deadline.provisional:
        yield "Provisional: the term includes a projected day off that is not decided yet."
    for day in deadline.crosses_unconfirmed:
        yield f"The term includes {day}, a possible day off that is not confirmed; it is counted as a working day."


def _local(instant: datetime, zone: ZoneInfo) -> str:
    local = instant.astimezone(zone)
    return f"{_WEEKDAYS[local.weekday()]} {local:%Y-%m-%d %H:%M}"


def _hours(duration: timedelta) -> str:
    minutes = int(duration.total_seconds() // 60)
    return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
