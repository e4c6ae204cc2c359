"""The calendars of cases, named in the centre's folder or written in the case; parsed and compiled with caches."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from motcua.due import members
from motcua.due.errors import CaseError
from motcua.due.members import Members
from services.sla.domain.calendar import Calendar, compile_calendar, rules_known_at
from shared.kernel.calendar_rules import CalendarException, CalendarRules, Kind, Status, Window
from shared.kernel.centre import Centre
from shared.kernel.worktime import OutsideCalendarError

AHEAD = timedelta(days=120)
MAX_AHEAD = timedelta(days=366 * 40)
"""How far after a receipt an inline calendar, which has no span, is compiled: at first, and at most."""
_BEHIND = timedelta(days=2)
_MAX_INLINE = 256
"""Size of the cache of compiled inline calendars; the least recently used one is removed first."""

_CALENDAR = Members(frozenset({"weekdays", "hours"}), frozenset({"zone", "exceptions"}))
_EXCEPTION = Members(frozenset({"date", "kind"}), frozenset({"hours", "decided_by", "known_from", "status"}))
_KINDS: Mapping[str, Kind] = {"off": "off", "working": "working", "half_day": "half_day"}
_STATUSES: Mapping[str, Status] = {
    "statutory": "statutory",
    "decided": "decided",
    "projected": "projected",
    "unconfirmed": "unconfirmed",
}


class CalendarSource:
    """The rules of one calendar, with a cache of its compiled forms: one for each set of known exceptions."""

    def __init__(self, rules: CalendarRules, *, has_span: bool) -> None:
        self.has_span = has_span
        self.zone = ZoneInfo(rules.zone)
        self._rules = rules
        self.known_from = sorted({each.known_from for each in rules.exceptions if each.known_from is not None})
        self._compiled: dict[int, tuple[Calendar, datetime, datetime]] = {}

    def calendar(self, known_at: datetime | None, received_at: datetime, ahead: timedelta = AHEAD) -> Calendar:
        """Return the calendar compiled with the exceptions known at `known_at` (None: all), from the cache if possible.

        A calendar of the centre is compiled over its own span. An inline calendar has no span, so it is compiled from
        before `received_at` to at least `ahead` after it. Raises OverflowError beyond year 9999.
        """
        known = -1 if known_at is None else bisect_right(self.known_from, known_at)
        found = self._compiled.get(known)
        if found is None or not (self.has_span or found[1] <= received_at <= found[2] - ahead):
            rules = self._rules if known_at is None else rules_known_at(self._rules, known_at)
            if not self.has_span:
                rules = _with_span(rules, received_at, ahead, None if found is None else found[0].rules)
            calendar = compile_calendar(rules)
            worktime = calendar.worktime
            self._compiled[known] = found = (calendar, worktime.starts_at + _BEHIND, worktime.ends_at - _BEHIND)
        return found[0]

    def outside_error(self, error: OutsideCalendarError, received_at: datetime) -> OutsideCalendarError:
        """Return the error to show for a date outside the calendar.

        For an inline calendar its span is replaced by the one that this receipt alone would get, since the compiled
        span may be longer because of other receipts. For a calendar of the centre the error is unchanged.
        """
        if self.has_span:
            return error
        return OutsideCalendarError(error.calendar, *_span(received_at, MAX_AHEAD), error.subject)


def _span(received_at: datetime, ahead: timedelta) -> tuple[date, date]:
    return (received_at - 2 * _BEHIND).date(), (received_at + ahead + 2 * _BEHIND).date()


def _with_span(
    rules: CalendarRules, received_at: datetime, ahead: timedelta, before: CalendarRules | None
) -> CalendarRules:
    """Return the rules with a span that covers the receipt and `ahead` after it.

    If `before` has rules with a previous span, that is extended instead, on each side that is too short by at least its
    own length, unless the result would be longer than 80 years.
    """
    first, last = _span(received_at, ahead)
    if before is not None and max(last, before.last_date) - min(first, before.first_date) <= 2 * MAX_AHEAD:
        length = before.last_date - before.first_date
        if first < before.first_date:
            first = min(first, before.first_date - length)
        if last > before.last_date:
            last = max(last, before.last_date + length)
        first, last = min(first, before.first_date), max(last, before.last_date)
    return replace(rules, first_date=first, last_date=last)


class Calendars:
    """A cache of the calendars of all cases of a run. `centre` is called once, when a case first names a calendar."""

    def __init__(self, centre: Callable[[], Centre]) -> None:
        self._centre = centre
        self._named: dict[str, CalendarSource] | None = None
        self._inline: OrderedDict[str, CalendarSource] = OrderedDict()

    def named(self, name: str) -> CalendarSource:
        """Return the centre's calendar of this name.

        Raises CaseError for an unknown name, and StartError if the centre's folder cannot be read.
        """
        if self._named is None:
            self._named = {rules.name: CalendarSource(rules, has_span=True) for rules in self._centre().calendars}
        found = self._named.get(name)
        if found is None:
            listed = ", ".join(self._named)
            raise CaseError("calendar-unknown", f"The centre has no calendar {name!r}. Use one of {listed}.")
        return found

    def inline(self, raw: Mapping[str, Any]) -> CalendarSource:
        """Return the calendar written in a case, parsed or from the cache. Raises CaseError if it is invalid."""
        key = repr(raw)
        found = self._inline.get(key)
        if found is None:
            found = self._inline[key] = CalendarSource(parse_calendar(raw), has_span=False)
            if len(self._inline) > _MAX_INLINE:
                self._inline.popitem(last=False)
        else:
            self._inline.move_to_end(key)
        return found


def parse_calendar(raw: Mapping[str, Any]) -> CalendarRules:
    """Parse the rules of a calendar written in a case. Raises CaseError if they are invalid.

    `first_date` and `last_date` of the result are placeholders: such a calendar has no span of its own.
    """
    members.require(raw, _CALENDAR, "calendar")
    zone = _zone(raw.get("zone"))
    weekdays = [members.whole_number(each, "calendar.weekdays") for each in members.items(raw["weekdays"], "weekdays")]
    windows = _windows(raw["hours"], "calendar.hours")
    exceptions = raw.get("exceptions")
    try:
        rules = CalendarRules(
            name="of the case",
            zone=zone.key,
            weekdays=frozenset(weekdays),
            windows=windows,
            first_date=date.min,
            last_date=date.min,
            exceptions=tuple(
                _exception(each, f"calendar.exceptions/{place}", zone)
                for place, each in enumerate(
                    () if exceptions is None else members.items(exceptions, "calendar.exceptions")
                )
            ),
        )
    except ValueError as error:
        raise CaseError("calendar-invalid", str(error)) from None
    _require_unambiguous(rules)
    return rules


def _zone(raw: object) -> ZoneInfo:
    name = "Asia/Ho_Chi_Minh" if raw is None else members.text(raw, "calendar.zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CaseError("calendar-invalid", f"{name!r} is not an IANA time zone such as Asia/Ho_Chi_Minh.") from None


def _windows(raw: object, where: str) -> tuple[Window, ...]:
    windows: list[Window] = []
    for pair in members.items(raw, where):
        if not isinstance(pair, list) or len(pair) != 2:
            raise CaseError("calendar-invalid", f'{where} must contain pairs such as ["07:00", "11:30"].')
        opens, closes = (members.clock_time(each, where) for each in pair)
        try:
            windows.append(Window(opens, closes))
        except ValueError as error:
            raise CaseError("calendar-invalid", f"{where}: {error}") from None
    return tuple(sorted(windows, key=lambda window: window.opens))


def _exception(raw: object, where: str, zone: ZoneInfo) -> CalendarException:
    found = members.require(raw, _EXCEPTION, where)
    kind = _KINDS.get(members.text(found["kind"], f"{where}/kind"))
    given_status = found.get("status")
    status = "decided" if given_status is None else _STATUSES.get(members.text(given_status, f"{where}/status"))
    if kind is None or status is None:
        listed = _KINDS if kind is None else _STATUSES
        raise CaseError("calendar-invalid", f"{where} has an unknown kind or status. Use one of {', '.join(listed)}.")
    hours = found.get("hours")
    windows = () if hours is None else _windows(hours, f"{where}/hours")
    if kind != "off" and not windows and (kind == "working" or hours is not None):
        raise CaseError("calendar-invalid", f"{where} is {kind}, but has no hours. Add its windows.")
    decided_by = found.get("decided_by")
    return CalendarException(
        on=members.day(found["date"], f"{where}/date"),
        kind=kind,
        status=status,
        windows=windows,
        decided_by=None if decided_by is None else members.text(decided_by, f"{where}/decided_by"),
        known_from=_known_from(found.get("known_from"), f"{where}/known_from", zone),
    )


def _known_from(raw: object, where: str, zone: ZoneInfo) -> datetime | None:
    """Parse `known_from`: an instant, or a date, which means 00:00 in `zone`; None for null. Raises CaseError."""
    if raw is None:
        return None
    if isinstance(raw, str) and len(raw) <= len("2017-11-06"):
        return datetime.combine(members.day(raw, where), time(0), zone)
    return members.instant(raw, where)


def _require_unambiguous(rules: CalendarRules) -> None:
    """Raise CaseError if two exceptions for one date contradict each other and are known from the same instant.

    Of the exceptions for a date, the one that became known last applies, so two at once would be ambiguous.
    """
    seen: dict[tuple[date, datetime | None], CalendarException] = {}
    for each in rules.exceptions:
        other = seen.setdefault((each.on, each.known_from), each) if each.counts else each
        if (other.kind, other.windows) != (each.kind, each.windows):
            raise CaseError(
                "calendar-invalid", f"{each.on} has two exceptions that are known from the same instant. Remove one."
            )
