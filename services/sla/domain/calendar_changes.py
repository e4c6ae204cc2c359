"""Changes of a calendar: exceptions are added and the span is extended. Nothing is edited, so history stays true."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import chain

from services.sla.domain.calendar import Calendar, windows_on
from shared.kernel.calendar_rules import CalendarException, CalendarRules, Window
from shared.kernel.errors import FieldError
from shared.kernel.worktime import OutsideCalendarError, midnight

LONGEST_SPAN_YEARS = 40


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """A proposed change: exceptions without decision and `known_from`, and the new last date (None: unchanged)."""

    exceptions: tuple[CalendarException, ...] = ()
    last_date: date | None = None


def apply_change(change: CalendarChange, rules: CalendarRules, *, decision: str, now: datetime) -> CalendarRules:
    """Return the calendar's rules with the change, whose exceptions become known by `decision` at `now`."""
    added = (replace(each, decided_by=decision, known_from=now) for each in change.exceptions)
    return replace(rules, exceptions=(*rules.exceptions, *added), last_date=change.last_date or rules.last_date)


def find_faults(change: CalendarChange, rules: CalendarRules, now: datetime) -> list[FieldError]:
    """Return the faults of a change that would become known at `now`; an empty list if the change is valid.

    There is at most one fault for each exception. Its pointer is relative to the change.
    """
    faults = []
    if not change.exceptions and change.last_date is None:
        faults.append(FieldError("", "The proposal is empty: add exceptions, or a later last_date."))
    last_date = rules.last_date
    if change.last_date is not None:
        if change.last_date <= rules.last_date:
            faults.append(
                FieldError(
                    "/last_date", f"{rules.name} already covers dates up to {rules.last_date}: use a later date."
                )
            )
        elif change.last_date.year - rules.first_date.year > LONGEST_SPAN_YEARS:
            faults.append(
                FieldError(
                    "/last_date", f"{rules.name} would cover more than {LONGEST_SPAN_YEARS} years: check the year."
                )
            )
        else:
            last_date = change.last_date
    seen: set[date] = set()
    for place, exception in enumerate(change.exceptions):
        found = _fault(exception, replace(rules, last_date=last_date), now)
        if exception.on in seen:
            found = ("date", f"{exception.on} occurs twice in this proposal: remove one of the two.")
        seen.add(exception.on)
        if found is not None:
            faults.append(FieldError(f"/exceptions/{place}/{found[0]}", found[1]))
    return faults


def _fault(exception: CalendarException, rules: CalendarRules, now: datetime) -> tuple[str, str] | None:
    """Return the wrong member of a proposed exception and the reason; None if it is valid and has an effect."""
    on = exception.on
    if not rules.first_date <= on <= rules.last_date:
        return "date", f"{on} is outside the span of {rules.name}, {rules.first_date} to {rules.last_date}."
    if exception.kind != "off" and not exception.windows and on.isoweekday() not in rules.weekdays:
        return "windows", f"{on} is not a working day of the week: give its windows."
    known = sorted((each for each in rules.exceptions if each.on == on), key=_known_from)
    if known and _known_from(known[-1]) > now.timestamp():
        return "date", f"{on} has an exception known from {known[-1].known_from}, which would overrule this one."
    ruling = next((each for each in reversed(known) if each.counts), None)
    if ruling is not None and not exception.counts:
        return "status", f"{on} is {ruling.kind} by {ruling.decided_by}: an unconfirmed exception would change nothing."
    current = ruling or (known[-1] if known else None)
    if current is None:
        same = windows_on(on, None, rules) == windows_on(on, exception, rules)
        return (
            ("kind", f"{on} has these hours by its weekday already: the exception would change nothing.")
            if same
            else None
        )
    if _effect(current, rules) == _effect(exception, rules):
        return "kind", f"{on} is {current.kind} ({current.status}) already, by {current.decided_by}."
    return None


def _effect(exception: CalendarException, rules: CalendarRules) -> tuple[str, str, tuple[Window, ...]]:
    return exception.kind, exception.status, windows_on(exception.on, exception, rules)


def _known_from(exception: CalendarException) -> float:
    return float("-inf") if exception.known_from is None else exception.known_from.timestamp()


def differences(configured: CalendarRules, stored: CalendarRules) -> list[str]:
    """Return a text with both values for each difference between the configured and the stored calendar."""
    return [
        f"{place} is {_text(one)}, and was {_text(other)}"
        for place, one, other in chain(_members(configured, stored), _exceptions(configured, stored))
        if one != other
    ]


_MEMBERS = ("name", "zone", "weekdays", "windows", "first_date", "last_date", "decision")
_EXCEPTION_MEMBERS = ("kind", "status", "windows", "name", "decided_by")


def _members(configured: CalendarRules, stored: CalendarRules) -> Iterator[tuple[str, object, object]]:
    for member in _MEMBERS:
        yield member, getattr(configured, member), getattr(stored, member)


def _exceptions(configured: CalendarRules, stored: CalendarRules) -> Iterator[tuple[str, object, object]]:
    """Yield what is compared, its configured and its stored value, for each exception of either calendar, equal or not.

    Two exceptions correspond if their date and the instant from which they are known are equal.
    """
    ours, theirs = ({(each.on, _known_from(each)): each for each in rules.exceptions} for rules in (configured, stored))
    for key in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(key), theirs.get(key)
        shown = one or other
        assert shown is not None
        place = f"the exception of {shown.on}" + (f" known from {shown.known_from}" if shown.known_from else "")
        if one is None or other is None:
            yield place, one and f"{one.kind} ({one.name})", other and f"{other.kind} ({other.name})"
        else:
            for member in _EXCEPTION_MEMBERS:
                yield f"{member} of {place}", getattr(one, member), getattr(other, member)


def _text(value: object) -> str:
    if value is None:
        return "missing"
    if isinstance(value, tuple):
        return ", ".join(_text(each) for each in value) or "empty"
    if isinstance(value, frozenset):
        return ", ".join(str(each) for each in sorted(value))
    if isinstance(value, Window):
        return f"{value.opens:%H:%M}-{value.closes:%H:%M}"
    return repr(value) if isinstance(value, str) else str(value)


@dataclass(frozen=True, slots=True)
class UnaffectedClocks:
    """The clocks that new exceptions cannot affect, because all dates that a clock depends on are before or after them.

    These are the running clocks due before `due_before` that were never extended, because an earlier change may have
    overtaken the date of an extension (None: no such clock), and all clocks received at or after `received_from`.
    """

    due_before: datetime | None
    received_from: datetime


def unaffected_clocks(
    before: CalendarRules, changed: Calendar, longest_escalation: timedelta
) -> UnaffectedClocks | None:
    """Return which clocks derived by `before` have the same derivation by the changed calendar.

    None if dates alone cannot show it, because no exception was added or the calendar's span changed. A running clock
    depends on dates up to its last threshold, `longest_escalation` of working time after the end of the due date; no
    clock depends on dates before its receipt.
    """
    later = changed.rules.exceptions[len(before.exceptions) :]
    same_span = (before.first_date, before.last_date) == (changed.rules.first_date, changed.rules.last_date)
    if not later or not same_span:
        return None
    worktime = changed.worktime
    first, last = min(each.on for each in later), max(each.on for each in later)
    try:
        last_breach = worktime.back(midnight(first, worktime.zone), longest_escalation)
    except OutsideCalendarError:
        due_before = None
    else:
        due_before = midnight(worktime.local_date(last_breach), worktime.zone)
    return UnaffectedClocks(due_before, worktime.end_of(last))
