"""The working calendar: standard windows and dated exceptions, compiled to the windows of the covered span.

Source of the rules: Labour Code 2019, art. 112, and the yearly decisions on Tết, compensatory and swap days.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from shared.kernel.calendar_rules import CalendarException, CalendarRules, Window
from shared.kernel.worktime import Worktime

_MIDNIGHT, _DAY_SECONDS = time(0), 86_400
_ALWAYS_KNOWN = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar's rules, compiled to the windows of working time of its whole span (`worktime`).

    `ruling` has the exceptions that change working time, by date: of several for one date, the one known last.
    `projected` are the dates of those with this status. `unconfirmed` are the dates that have only unconfirmed
    exceptions, which change nothing. Both are ascending, and events name them. `standard_day` is the working time of a
    day without an exception.
    """

    rules: CalendarRules
    ruling: Mapping[date, CalendarException]
    worktime: Worktime
    standard_day: timedelta
    projected: tuple[date, ...]
    unconfirmed: tuple[date, ...]

    def projected_between(self, first: date, last: date) -> Sequence[date]:
        """Return the dates with a projected exception from `first` to `last`, both included."""
        return _between(self.projected, first, last)

    def unconfirmed_between(self, first: date, last: date) -> Sequence[date]:
        """Return the dates with only unconfirmed exceptions from `first` to `last`, both included."""
        return _between(self.unconfirmed, first, last)


def rules_known_at(rules: CalendarRules, instant: datetime) -> CalendarRules:
    """Return the calendar's rules without the exceptions that became known after an aware instant.

    Of several exceptions for one date, the one known last by that instant then counts. The span is unchanged.
    """
    known = tuple(each for each in rules.exceptions if each.known_from is None or each.known_from <= instant)
    return rules if len(known) == len(rules.exceptions) else replace(rules, exceptions=known)


def compile_calendar(rules: CalendarRules) -> Calendar:
    """Compile a calendar's rules to its windows of working time over the whole span.

    Of several exceptions for one date, the one known last counts; unconfirmed exceptions never count. On a date with a
    change of the UTC offset, a window is cut to its date and to the end of the window before it; an empty window is
    left out. Raises zoneinfo.ZoneInfoNotFoundError for an unknown zone.
    """
    ruling: dict[date, CalendarException] = {}
    unconfirmed: set[date] = set()
    for exception in sorted(rules.exceptions, key=lambda entry: entry.known_from or _ALWAYS_KNOWN):
        if exception.counts:
            ruling[exception.on] = exception
        else:
            unconfirmed.add(exception.on)
    zone = ZoneInfo(rules.zone)
    opens: list[int] = []
    closes: list[int] = []
    midnights = _midnights(rules.first_date, rules.last_date, zone)
    for ordinal, (begins, ends) in enumerate(pairwise(midnights), rules.first_date.toordinal()):
        day = date.fromordinal(ordinal)
        if ends - begins == _DAY_SECONDS:  # the offset changes at most once a date, so it does not change here
            for window in windows_on(day, ruling.get(day), rules):
                opens.append(begins + _of_day(window.opens))
                closes.append(begins + _of_day(window.closes))
            continue
        closed = begins
        for window in windows_on(day, ruling.get(day), rules):
            opening = max(closed, _second(day, window.opens, zone))
            closing = min(ends, _second(day, window.closes, zone))
            if opening < closing:
                opens.append(opening)
                closes.append(closing)
                closed = closing
    return Calendar(
        rules=rules,
        ruling=ruling,
        worktime=Worktime(
            name=rules.name,
            zone=rules.zone,
            first_date=rules.first_date,
            last_date=rules.last_date,
            opens=opens,
            closes=closes,
        ),
        standard_day=rules.standard_day,
        projected=tuple(sorted(day for day, ruler in ruling.items() if ruler.status == "projected")),
        unconfirmed=tuple(sorted(unconfirmed - ruling.keys())),
    )


@lru_cache(maxsize=32)
def _midnights(first: date, last: date, zone: ZoneInfo) -> Sequence[int]:
    """Return 00:00 of each local date and of the date after the last, in seconds since 1970.

    Cached: calendars as known at different instants share the result.
    """
    after = last + timedelta(days=1)
    days = (date.fromordinal(ordinal) for ordinal in range(first.toordinal(), after.toordinal() + 1))
    return [_second(day, _MIDNIGHT, zone) for day in days]


def _of_day(at: time) -> int:
    return 3600 * at.hour + 60 * at.minute + at.second


def _second(day: date, at: time, zone: ZoneInfo) -> int:
    """Convert a local time to seconds since 1970; a skipped local time uses the offset before the change."""
    return int(datetime.combine(day, at, zone).timestamp())


def windows_on(day: date, exception: CalendarException | None, rules: CalendarRules) -> tuple[Window, ...]:
    """Return a date's windows of working time by its exception, or by its weekday without one; empty on a day off."""
    if exception is None:
        return rules.windows if day.isoweekday() in rules.weekdays else ()
    if exception.kind == "off":
        return ()
    if exception.windows:
        return exception.windows
    return rules.windows if exception.kind == "working" else rules.windows[:1]


def _between(dates: tuple[date, ...], first: date, last: date) -> Sequence[date]:
    return dates[bisect_left(dates, first) : bisect_right(dates, last)]
