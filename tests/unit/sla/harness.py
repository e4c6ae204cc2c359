"""A harness that decides about one clock in memory, and a small catalogue for it."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from services.sla.clocks.handlers import ClockHandlers
from services.sla.clocks.store import CLOCKS, ClockRow
from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.rules import CalendarVersion, DerivationRules
from shared.contracts.envelope import AnyEnvelope
from shared.kernel.centre import Centre, Procedure, Term, Thresholds
from shared.postgres.outbox import Publisher
from shared.postgres.unit_of_work import Unit
from tests.unit.sla.builders import CENTRE, RULES, VIETNAM, at

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
    """A procedure of department STP with this term."""
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
    """A centre with procedures L.5 (five working days), L.0 (no term) and `more`, with an underscore for the dot."""
    terms = {"L.5": Term(5, "working_day"), "L.0": None} | {code.replace("_", "."): t for code, t in more.items()}
    procedures = {code: (procedure(code, term),) for code, term in terms.items()}
    return replace(CENTRE, procedures=procedures, all_thresholds=(THRESHOLDS,))


RULES_IN_FORCE = DerivationRules(centre(), VIETNAM, calendar_version=3, digest="one")
TUESDAYS_OFF = compile_calendar(replace(RULES, weekdays=frozenset({1, 3, 4, 5})))


def with_calendar(calendar: Calendar, *decisions: str, rules: DerivationRules = RULES_IN_FORCE) -> DerivationRules:
    """The rules with a further calendar version for each decision; `calendar` is the last version."""
    history = tuple(
        CalendarVersion(
            RULES_IN_FORCE.calendar_version + n,
            decision,
            at("2017-11-06 11:00"),
            len(calendar.rules.exceptions),
            RULES.last_date,
        )
        for n, decision in enumerate(decisions, start=1)
    )
    return replace(rules, calendar=calendar, calendar_version=history[-1].number, history=history)


class ClockHarness:
    """One row and the events published about it. Each call is one transaction."""

    def __init__(self, rules: DerivationRules = RULES_IN_FORCE) -> None:
        self.clocks = ClockHandlers(rules)
        self.rows: dict[Any, ClockRow] = {}
        self.published: list[AnyEnvelope] = []

    @property
    def rules(self) -> DerivationRules:
        """The rules in force."""
        return self.clocks.rules

    @rules.setter
    def rules(self, rules: DerivationRules) -> None:
        self.clocks = ClockHandlers(rules)

    def unit(self, now: datetime) -> Unit[ClockRow]:
        """A unit of work recorded at `now`."""
        return Unit(CLOCKS, self.rows, PUBLISHER, now)

    def consume(self, *events: AnyEnvelope) -> "ClockHarness":
        """Apply events of intake, each recorded at its own instant."""
        for event in events:
            unit = self.unit(event.recordedtime)
            handler = self.clocks.by_event_type().get(type(event.data))
            if handler is not None:
                handler(event, unit)
            self.published += unit.events
        return self

    def tick(self, when: str, *, recorded_from: str | None = None) -> "ClockHarness":
        """Publish the thresholds that have passed at that local time."""
        unit = self.unit(at(recorded_from or when))
        self.clocks.fire(self.row, unit, until=at(when))
        self.published += unit.events
        return self

    def rederive(self, rules: DerivationRules, when: str = "2017-11-06 12:00") -> bool:
        """Derive the clock by other rules; returns whether the deadline differs."""
        self.rules = rules
        unit = self.unit(at(when))
        differs = self.clocks.rederive(self.row, unit, now=at(when))
        self.published += unit.events
        return differs

    @property
    def row(self) -> ClockRow:
        """The row."""
        (row,) = self.rows.values()
        return row

    @property
    def last(self) -> Any:
        """The data of the event published last."""
        return self.published[-1].data

    def types(self) -> list[str]:
        """The types of all published events."""
        return [event.type.removeprefix("deadline.") for event in self.published]
