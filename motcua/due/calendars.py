"""The calendars that cases name or bring along: read once, compiled as known at an instant and as far as needed."""

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
FARTHEST = timedelta(days=366 * 40)
"""How far from a receipt a calendar without a span of its own is compiled at first, and at most."""
_BEHIND = timedelta(days=2)
_KEPT = 256
"""Calendars without a name that are kept compiled; the one used longest ago is forgotten first."""

_CALENDAR = Members(frozenset({"weekdays", "hours"}), frozenset({"zone", "exceptions"}))
_EXCEPTION = Members(frozenset({"date", "kind"}), frozenset({"hours", "decided_by", "known_from", "status"}))
_KINDS: Mapping[str, Kind] = {"off": "off", "working": "working", "half_day": "half_day"}
_STATUSES: Mapping[str, Status] = {
    "statutory": "statutory",
    "decided": "decided",
    "projected": "projected",
    "unconfirmed": "unconfirmed",
}


class Source:
    """One calendar's rules, and what was compiled of them, by how much of it was known."""

    def __init__(self, rules: CalendarRules, *, has_span: bool) -> None:
        self.has_span = has_span
        self.zone = ZoneInfo(rules.zone)
        self._rules = rules
        self.known_from = sorted({each.known_from for each in rules.exceptions if each.known_from is not None})
        self._compiled: dict[int, tuple[Calendar, datetime, datetime]] = {}

    def calendar(self, known_at: datetime | None, received_at: datetime, ahead: timedelta = AHEAD) -> Calendar:
        """As known at that instant (None: as known in the end), over its own span.

        A calendar without one is compiled so that it covers the receipt and what lies `ahead` of it.
        """
        known = -1 if known_at is None else bisect_right(self.known_from, known_at)
        found = self._compiled.get(known)
        if found is None or not (self.has_span or found[1] <= received_at <= found[2] - ahead):
            rules = self._rules if known_at is None else rules_known_at(self._rules, known_at)
            if not self.has_span:
                rules = _over(rules, received_at, ahead, None if found is None else found[0].rules)
            calendar = compile_calendar(rules)
            worktime = calendar.worktime
            self._compiled[known] = found = (calendar, worktime.starts_at + _BEHIND, worktime.ends_at - _BEHIND)
        return found[0]

    def outside(self, error: OutsideCalendarError, received_at: datetime) -> OutsideCalendarError:
        """The error as that receipt alone meets it: what is compiled may reach farther, for other receipts' sake."""
        if self.has_span:
            return error
        return OutsideCalendarError(error.calendar, *_span(received_at, FARTHEST), error.subject)


def _span(received_at: datetime, ahead: timedelta) -> tuple[date, date]:
    return (received_at - 2 * _BEHIND).date(), (received_at + ahead + 2 * _BEHIND).date()


def _over(rules: CalendarRules, received_at: datetime, ahead: timedelta, before: CalendarRules | None) -> CalendarRules:
    """The rules over a span for that receipt; it is joined with the one before, doubled, unless that is far away."""
    first, last = _span(received_at, ahead)
    if before is not None and max(last, before.last_date) - min(first, before.first_date) <= 2 * FARTHEST:
        length = before.last_date - before.first_date
        if first < before.first_date:
            first = min(first, before.first_date - length)
        if last > before.last_date:
            last = max(last, before.last_date + length)
        first, last = min(first, before.first_date), max(last, before.last_date)
    return replace(rules, first_date=first, last_date=last)


class Calendars:
    """Every calendar met in one run. `centre` is asked for once, when the first calendar is named."""

    def __init__(self, centre: Callable[[], Centre]) -> None:
        self._centre = centre
        self._named: dict[str, Source] | None = None
        self._inline: OrderedDict[str, Source] = OrderedDict()

    def named(self, name: str) -> Source:
        """A calendar of the centre's folder. Raises CaseError, and StartError where the folder cannot be read."""
        if self._named is None:
            self._named = {rules.name: Source(rules, has_span=True) for rules in self._centre().calendars}
        found = self._named.get(name)
        if found is None:
            listed = ", ".join(self._named)
            raise CaseError("calendar-unknown", f"the centre has no calendar {name!r}; it has {listed}")
        return found

    def inline(self, given: Mapping[str, Any]) -> Source:
        """A calendar that a case brings along; the same again is not compiled again, unless too many came between."""
        key = repr(given)
        found = self._inline.get(key)
        if found is None:
            found = self._inline[key] = Source(read(given), has_span=False)
            if len(self._inline) > _KEPT:
                self._inline.popitem(last=False)
        else:
            self._inline.move_to_end(key)
        return found


def read(given: Mapping[str, Any]) -> CalendarRules:
    """A case's own calendar as rules. Its span stands for none. Raises CaseError."""
    members.known(given, _CALENDAR, "calendar")
    zone = _zone(given.get("zone"))
    weekdays = [members.whole(each, "calendar.weekdays") for each in members.items(given["weekdays"], "weekdays")]
    windows = _windows(given["hours"], "calendar.hours")
    exceptions = given.get("exceptions")
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
    _require_one_ruler(rules)
    return rules


def _zone(given: object) -> ZoneInfo:
    name = "Asia/Ho_Chi_Minh" if given is None else members.text(given, "calendar.zone")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CaseError("calendar-invalid", f"{name!r} is no IANA time zone such as Asia/Ho_Chi_Minh") from None


def _windows(given: object, where: str) -> tuple[Window, ...]:
    windows: list[Window] = []
    for pair in members.items(given, where):
        if not isinstance(pair, list) or len(pair) != 2:
            raise CaseError("calendar-invalid", f'{where} holds pairs such as ["07:00", "11:30"]')
        opens, closes = (members.clock_time(each, where) for each in pair)
        try:
            windows.append(Window(opens, closes))
        except ValueError as error:
            raise CaseError("calendar-invalid", f"{where}: {error}") from None
    return tuple(sorted(windows, key=lambda window: window.opens))


def _exception(given: object, where: str, zone: ZoneInfo) -> CalendarException:
    found = members.known(given, _EXCEPTION, where)
    kind = _KINDS.get(members.text(found["kind"], f"{where}/kind"))
    given_status = found.get("status")
    status = "decided" if given_status is None else _STATUSES.get(members.text(given_status, f"{where}/status"))
    if kind is None or status is None:
        listed = _KINDS if kind is None else _STATUSES
        raise CaseError("calendar-invalid", f"{where} is of an unknown kind or status: one of {', '.join(listed)}")
    hours = found.get("hours")
    windows = () if hours is None else _windows(hours, f"{where}/hours")
    if kind != "off" and not windows and (kind == "working" or hours is not None):
        raise CaseError("calendar-invalid", f"{where} is {kind} without hours: give its windows")
    decided_by = found.get("decided_by")
    return CalendarException(
        on=members.day(found["date"], f"{where}/date"),
        kind=kind,
        status=status,
        windows=windows,
        decided_by=None if decided_by is None else members.text(decided_by, f"{where}/decided_by"),
        known_from=_known_from(found.get("known_from"), f"{where}/known_from", zone),
    )


def _known_from(given: object, where: str, zone: ZoneInfo) -> datetime | None:
    """A date is its 00:00 in the calendar's zone."""
    if given is None:
        return None
    if isinstance(given, str) and len(given) <= len("2017-11-06"):
        return datetime.combine(members.day(given, where), time(0), zone)
    return members.instant(given, where)


def _require_one_ruler(rules: CalendarRules) -> None:
    """Of several exceptions for a date the one known last counts, so they may not become known together."""
    seen: dict[tuple[date, datetime | None], CalendarException] = {}
    for each in rules.exceptions:
        other = seen.setdefault((each.on, each.known_from), each) if each.counts else each
        if (other.kind, other.windows) != (each.kind, each.windows):
            raise CaseError(
                "calendar-invalid", f"{each.on} has two exceptions that are known from the same instant: keep one"
            )
