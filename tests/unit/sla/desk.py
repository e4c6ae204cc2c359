"""Clocks decided on rows in memory, and a small catalogue to decide them by."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.handlers import Clocks, Version
from services.sla.store import DOSSIERS, ClockRow
from shared.contracts.envelope import AnyEnvelope
from shared.kernel.centre import Centre, Procedure, Term, Thresholds
from shared.postgres.outbox import Publisher
from shared.postgres.unit_of_work import Unit
from tests.unit.sla.given import CENTRE, RULES, VIETNAM, at

PUBLISHER = Publisher(service="sla", centre="test", epoch=1, catalogue_version="test")
THRESHOLDS = Thresholds(
    valid_from=date(2017, 1, 1),
    decision="03/QĐ",
    max_backdate_working_days=1,
    near_working_hours=8,
    short_term_working_hours=16,
    escalation_working_hours=(8,),
    pause_ceiling_working_days=30,
    max_extensions=1,
)


def procedure(code: str, term: Term | None) -> Procedure:
    return Procedure(
        valid_from=date(2017, 1, 1),
        decision="02/QĐ",
        code=code,
        name_vi=code,
        name_en=code,
        field_vi="",
        departments=("STP",),
        term=term,
    )


def centre(**more: Term | None) -> Centre:
    """L.5 has five working days, L.0 no term; `more` by code with an underscore for the dot."""
    terms = {"L.5": Term(5, "working_day"), "L.0": None} | {code.replace("_", "."): t for code, t in more.items()}
    procedures = {code: (procedure(code, term),) for code, term in terms.items()}
    return replace(CENTRE, procedures=procedures, all_thresholds=(THRESHOLDS,))


CLOCKS = Clocks(centre(), VIETNAM, version=3, rules="one")
TUESDAYS_OFF = compile_calendar(replace(RULES, weekdays=frozenset({1, 3, 4, 5})))


def by(calendar: Calendar, *decisions: str, clocks: Clocks = CLOCKS) -> Clocks:
    """The clocks with a version of the calendar for each decision, of which `calendar` is the last one."""
    history = tuple(
        Version(CLOCKS.version + n, decision, at("2017-11-06 11:00"), len(calendar.rules.exceptions), RULES.last_date)
        for n, decision in enumerate(decisions, start=1)
    )
    return replace(clocks, calendar=calendar, version=history[-1].number, history=history)


class Desk:
    """One row, and what was told about it. Each call is one transaction."""

    def __init__(self, clocks: Clocks = CLOCKS) -> None:
        self.clocks = clocks
        self.rows: dict[Any, ClockRow] = {}
        self.told: list[AnyEnvelope] = []

    def unit(self, now: datetime) -> Unit[ClockRow]:
        return Unit(DOSSIERS, self.rows, PUBLISHER, now)

    def hear(self, *events: AnyEnvelope) -> "Desk":
        for event in events:
            unit = self.unit(event.recordedtime)
            handler = self.clocks.handlers().get(type(event.data))
            if handler is not None:
                handler(event, unit)
            self.told += unit.events
        return self

    def tick(self, when: str, *, recorded_from: str | None = None) -> "Desk":
        unit = self.unit(at(recorded_from or when))
        self.clocks.fire(self.row, unit, until=at(when))
        self.told += unit.events
        return self

    def rederive(self, clocks: Clocks, when: str = "2017-11-06 12:00") -> bool:
        self.clocks = clocks
        unit = self.unit(at(when))
        moved = clocks.rederive(self.row, unit, now=at(when))
        self.told += unit.events
        return moved

    @property
    def row(self) -> ClockRow:
        (row,) = self.rows.values()
        return row

    @property
    def last(self) -> Any:
        return self.told[-1].data

    def types(self) -> list[str]:
        return [event.type.removeprefix("deadline.") for event in self.told]
