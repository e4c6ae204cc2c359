"""Calendars and local times for the tests of the clock."""

import csv
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.clock import ClockFact, Ground, What
from shared.kernel.calendars import CalendarException, CalendarRules, Kind, Status, Window

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
EXCEPTIONS = Path(__file__).parents[3] / "config" / "binh-phuoc" / "calendars" / "vn-public.csv"
STANDARD = (Window(time(7), time(11, 30)), Window(time(13, 30), time(17)))


def _exceptions() -> Iterable[CalendarException]:
    with EXCEPTIONS.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            yield CalendarException(
                on=date.fromisoformat(line["date"]),
                kind=cast(Kind, line["kind"]),
                status=cast(Status, line["status"]),
            )


RULES = CalendarRules(
    name="vn-public",
    zone="Asia/Ho_Chi_Minh",
    weekdays=frozenset({1, 2, 3, 4, 5}),
    windows=STANDARD,
    first_date=date(2016, 1, 1),
    last_date=date(2027, 12, 31),
    exceptions=tuple(_exceptions()),
)
VIETNAM = compile_calendar(RULES)
PLAIN = compile_calendar(replace(RULES, exceptions=()))


def with_exceptions(*exceptions: CalendarException, rules: CalendarRules = RULES) -> Calendar:
    """The calendar with further exceptions."""
    return compile_calendar(replace(rules, exceptions=(*rules.exceptions, *exceptions)))


def at(local: str) -> datetime:
    """An instant from local time in Vietnam, `2017-11-06 07:00`."""
    return datetime.fromisoformat(local).replace(tzinfo=ZONE).astimezone(UTC)


def local(instant: datetime | None) -> str | None:
    """An instant as local time in Vietnam, for comparing with tables."""
    if instant is None:
        return None
    text = instant.astimezone(ZONE).isoformat(sep=" ", timespec="auto").removesuffix("+07:00")
    return text.removesuffix(":00")


def fact(what: What, when: str | datetime, ground: Ground | None = None) -> ClockFact:
    """A fact of a clock, recorded when it happened."""
    instant = at(when) if isinstance(when, str) else when
    return ClockFact(what, instant, instant, ground)
