"""Everything that deadlines are derived by: the centre's catalogue and the calendar in force, with its versions."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from services.sla.domain.calendar import Calendar, rules_known_at
from services.sla.domain.clock import ClockChange, Deadline, derive_by_catalogue
from shared.kernel.calendar_rules import CalendarRules
from shared.kernel.centre import Centre, ProcedureStep, Thresholds

DERIVATION_VERSION = 2
"""Number of the rules in code. A release that derives other due dates or thresholds increases it.

At its first start, the open clocks are then derived again, like those of a changed catalogue.
"""


@dataclass(frozen=True, slots=True)
class CalendarVersion:
    """One version of a calendar: the decision that made it, and since when it is in force.

    Exceptions are only added, so a version has the first `exceptions` of the present ones. It covers dates up to
    `last_date`.
    """

    number: int
    decision: str
    since: datetime
    exceptions: int
    last_date: date

    def of(self, rules: CalendarRules) -> CalendarRules:
        """Return the rules that this version has, made from the calendar's present rules."""
        return replace(rules, exceptions=rules.exceptions[: self.exceptions], last_date=self.last_date)


@dataclass(slots=True)
class DerivationRules:
    """The centre's catalogue and the calendar in force, which `use_calendar` replaces by a later version.

    `digest` identifies the catalogue's part (see `catalogue_digest`). `calendar_version` is the version of `calendar`;
    `history` has all versions so far, oldest first.
    """

    centre: Centre
    calendar: Calendar
    calendar_version: int
    digest: str
    history: tuple[CalendarVersion, ...] = ()

    def use_calendar(self, calendar: Calendar, version: int, history: tuple[CalendarVersion, ...]) -> None:
        """Put a later version of the calendar in force in this object; does nothing if the version is not later."""
        if version > self.calendar_version:
            self.calendar, self.calendar_version, self.history = calendar, version, history

    @property
    def longest_escalation(self) -> timedelta:
        """The working time from a breach to the last escalation, at most, under any of the centre's threshold rules."""
        hours = (hours for rules in self.centre.all_thresholds for hours in rules.escalation_working_hours)
        return timedelta(hours=max(hours, default=0))

    def derive(self, procedure: str, changes: Sequence[ClockChange]) -> Deadline:
        """Derive the deadline of a received dossier by these rules (see `derive_by_catalogue`). Raises ClockError."""
        return derive_by_catalogue(procedure, changes, self.centre, self.calendar)

    def steps(self, procedure: str, received_at: datetime) -> tuple[ProcedureStep, ...]:
        """Return the procedure's steps on the local date of the receipt; empty for a procedure without steps."""
        if procedure not in self.centre.steps:
            return ()
        return self.centre.steps_of(procedure, self.centre.local_date(received_at))

    def thresholds(self, received_at: datetime) -> Thresholds:
        """Return the centre's threshold rules on the local date of the receipt."""
        return self.centre.thresholds(self.centre.local_date(received_at))

    def decisions_after(self, version: int) -> str:
        """Return the decisions of all calendar versions after `version` as one text, separated by semicolons."""
        return "; ".join(each.decision for each in self.history if each.number > version)

    def calendar_rules_of(self, version: int) -> CalendarRules:
        """Return the calendar's rules in that version; the present rules if the version is unknown."""
        rules = self.calendar.rules
        return next((each.of(rules) for each in self.history if each.number == version), rules)

    def calendar_rules_known_at(self, instant: datetime) -> CalendarRules:
        """Return the calendar's rules as known at an instant: without later exceptions, and with the span of that time.

        Before the first version was in force, the span is that of the first version.
        """
        history = self.history
        then = next((each for each in reversed(history) if each.since <= instant), history[0] if history else None)
        known = rules_known_at(self.calendar.rules, instant)
        return known if then is None or then.last_date == known.last_date else replace(known, last_date=then.last_date)


def catalogue_digest(centre: Centre) -> str:
    """Return a digest of the centre's terms, steps and threshold rules, and of the version of the derivation.

    If one of them changes, the digest changes.
    """
    terms = {
        code: [(row.valid_from, row.valid_to, row.term) for row in rows] for code, rows in centre.procedures.items()
    }
    parts = (DERIVATION_VERSION, sorted(terms.items()), sorted(centre.steps.items()), centre.all_thresholds)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
