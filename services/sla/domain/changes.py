"""How a calendar changes: exceptions are added and its span is prolonged. Nothing is edited, so the past stays true."""

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
class Change:
    """What is proposed: `exceptions`, still without decision and instant, and up to which date the calendar covers
    time from then on (None: as before)."""

    exceptions: tuple[CalendarException, ...] = ()
    last_date: date | None = None


def applied(change: Change, rules: CalendarRules, *, decision: str, now: datetime) -> CalendarRules:
    """The calendar with the change, which this decision made known at `now`: from then on it overrules what was."""
    added = (replace(each, decided_by=decision, known_from=now) for each in change.exceptions)
    return replace(rules, exceptions=(*rules.exceptions, *added), last_date=change.last_date or rules.last_date)


def faults_of(change: Change, rules: CalendarRules, now: datetime) -> list[FieldError]:
    """Everything that speaks against the change of this calendar, made known at `now`; pointers are into the change."""
    faults = []
    if not change.exceptions and change.last_date is None:
        faults.append(FieldError("", "nothing is proposed: name exceptions to add, or a later last_date"))
    last_date = rules.last_date
    if change.last_date is not None:
        if change.last_date <= rules.last_date:
            faults.append(
                FieldError("/last_date", f"{rules.name} covers time up to {rules.last_date} already: name a later date")
            )
        elif change.last_date.year - rules.first_date.year > LONGEST_SPAN_YEARS:
            faults.append(
                FieldError("/last_date", f"{rules.name} would cover more than {LONGEST_SPAN_YEARS} years: a slip?")
            )
        else:
            last_date = change.last_date
    seen: set[date] = set()
    for place, exception in enumerate(change.exceptions):
        found = _fault(exception, replace(rules, last_date=last_date), now)
        if exception.on in seen:
            found = ("date", f"{exception.on} stands twice in this proposal: keep one")
        seen.add(exception.on)
        if found is not None:
            faults.append(FieldError(f"/exceptions/{place}/{found[0]}", found[1]))
    return faults


def _fault(exception: CalendarException, rules: CalendarRules, now: datetime) -> tuple[str, str] | None:
    """The member that is wrong, and why."""
    on = exception.on
    if not rules.first_date <= on <= rules.last_date:
        return "date", f"{on} lies outside what {rules.name} covers, {rules.first_date} to {rules.last_date}"
    if exception.kind != "off" and not exception.windows and on.isoweekday() not in rules.weekdays:
        return "windows", f"{on} is no working day of the week: name the windows in which it is worked"
    known = sorted((each for each in rules.exceptions if each.on == on), key=_known_from)
    if known and _known_from(known[-1]) > now.timestamp():
        return "date", f"{on} has an exception known from {known[-1].known_from}, which would overrule this one"
    ruling = next((each for each in reversed(known) if each.counts), None)
    if ruling is not None and not exception.counts:
        return "status", f"{on} is {ruling.kind} by {ruling.decided_by}: what is unconfirmed would change nothing"
    standing = ruling or (known[-1] if known else None)
    if standing is None:
        same = windows_on(on, None, rules) == windows_on(on, exception, rules)
        return ("kind", f"{on} is so by its weekday already: nothing would change") if same else None
    if _says(standing, rules) == _says(exception, rules):
        return "kind", f"{on} is {standing.kind} ({standing.status}) already, by {standing.decided_by}"
    return None


def _says(exception: CalendarException, rules: CalendarRules) -> tuple[str, str, tuple[Window, ...]]:
    return exception.kind, exception.status, windows_on(exception.on, exception, rules)


def _known_from(exception: CalendarException) -> float:
    return float("-inf") if exception.known_from is None else exception.known_from.timestamp()


def differences(given: CalendarRules, kept: CalendarRules) -> list[str]:
    """In which places two forms of a calendar differ, with both values; none where they say the same."""
    return [
        f"{place} is {_told(one)}, and was {_told(other)}"
        for place, one, other in chain(_members(given, kept), _exceptions(given, kept))
        if one != other
    ]


_MEMBERS = ("name", "zone", "weekdays", "windows", "first_date", "last_date", "decision")
_OF_EXCEPTIONS = ("kind", "status", "windows", "name", "decided_by")


def _members(given: CalendarRules, kept: CalendarRules) -> Iterator[tuple[str, object, object]]:
    for member in _MEMBERS:
        yield member, getattr(given, member), getattr(kept, member)


def _exceptions(given: CalendarRules, kept: CalendarRules) -> Iterator[tuple[str, object, object]]:
    """By date and the instant from which it is known, which tell exceptions apart."""
    ours, theirs = ({(each.on, _known_from(each)): each for each in rules.exceptions} for rules in (given, kept))
    for key in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(key), theirs.get(key)
        shown = one or other
        assert shown is not None
        place = f"the exception of {shown.on}" + (f" known from {shown.known_from}" if shown.known_from else "")
        if one is None or other is None:
            yield place, one and f"{one.kind} ({one.name})", other and f"{other.kind} ({other.name})"
        else:
            for member in _OF_EXCEPTIONS:
                yield f"{member} of {place}", getattr(one, member), getattr(other, member)


def _told(value: object) -> str:
    if value is None:
        return "not there"
    if isinstance(value, tuple):
        return ", ".join(_told(each) for each in value) or "empty"
    if isinstance(value, frozenset):
        return ", ".join(str(each) for each in sorted(value))
    if isinstance(value, Window):
        return f"{value.opens:%H:%M}-{value.closes:%H:%M}"
    return repr(value) if isinstance(value, str) else str(value)


@dataclass(frozen=True, slots=True)
class Untouched:
    """Clocks that later exceptions cannot concern: everything about them lies before the first of these dates or after
    the last.

    `due_before` is for clocks that run with a due date and were never extended, since an extension to a date may have
    been overtaken by an earlier change (None: there are none); `received_from` is for all.
    """

    due_before: datetime | None
    received_from: datetime


def untouched(before: CalendarRules, changed: Calendar, longest_escalation: timedelta) -> Untouched | None:
    """Which clocks derived by the rules `before` come to the same by the changed calendar; None where that cannot be
    told from dates alone, since the calendar covers another span now.

    A running clock looks as far ahead as its last threshold, `longest_escalation` of working time after the due date
    has ended; no clock looks back beyond its receipt.
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
    return Untouched(due_before, worktime.end_of(last))
