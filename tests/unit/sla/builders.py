"""Calendars, local times and events for the tests of the clock."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.clock import ChangeKind, ClockChange, Ground
from shared.catalogue import load_centre
from shared.kernel.calendar_rules import CalendarException, CalendarRules
from tests.support.dossier_events import DossierEvents
from tests.support.hand_clock import ZONE as ZONE
from tests.support.hand_clock import at as at

CENTRE = load_centre(Path(__file__).parents[3] / "config" / "binh-phuoc")
RULES = CENTRE.calendar
VIETNAM = compile_calendar(RULES)
PLAIN = compile_calendar(replace(RULES, exceptions=()))


def with_exceptions(*exceptions: CalendarException, rules: CalendarRules = RULES) -> Calendar:
    """The calendar with further exceptions."""
    return compile_calendar(replace(rules, exceptions=(*rules.exceptions, *exceptions)))


def local(instant: datetime | None) -> str | None:
    """An instant as local time in Vietnam, to compare with tables; None stays None."""
    if instant is None:
        return None
    text = instant.astimezone(ZONE).isoformat(sep=" ", timespec="auto").removesuffix("+07:00")
    return text.removesuffix(":00")


def change(kind: ChangeKind, when: str | datetime, ground: Ground | None = None) -> ClockChange:
    """A change of a clock, recorded when it happened."""
    instant = at(when) if isinstance(when, str) else when
    return ClockChange(kind, instant, instant, ground)


def dossier_events() -> DossierEvents:
    """A builder of events about a dossier of procedure L.5, which has a term of five working days."""
    return DossierEvents(procedure="L.5")
