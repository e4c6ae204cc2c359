"""Calendars and local times for the tests of the clock."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.clock import ClockFact, Ground, What
from shared.kernel.calendars import CalendarException, CalendarRules
from shared.runtime.centre import load_centre

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CENTRE = load_centre(Path(__file__).parents[3] / "config" / "binh-phuoc")
RULES = CENTRE.calendar
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
