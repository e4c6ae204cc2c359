"""Calendars, local times and acts for the tests of the clock."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from services.sla.domain.calendar import Calendar, compile_calendar
from services.sla.domain.clock import ChangeKind, ClockChange, Ground
from shared.catalogue import load_centre
from shared.contracts.dossiers import (
    DossierEvent,
    DossierExtendedV1,
    DossierReopenedV1,
    DossierSettledV1,
    DossierStepBegunV1,
    DossierStepRecordedV1,
    DossierSupplementReceivedV1,
    DossierSupplementRequiredV1,
    DossierWithdrawnV1,
    Form,
)
from shared.contracts.envelope import AnyEnvelope
from shared.kernel.calendar_rules import CalendarException, CalendarRules
from tests.support.hand_clock import ZONE as ZONE
from tests.support.hand_clock import at as at
from tests.support.told import Told

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


class Acts(Told):
    """One dossier's acts at local times, each recorded when it happened unless stated otherwise."""

    def act(self, data: DossierEvent, when: str, *, recorded: str | None = None) -> AnyEnvelope:
        """The next event of intake."""
        self.at = at(when)
        change = self.tell(data)
        return change if recorded is None else change.model_copy(update={"recordedtime": at(recorded)})

    def receive(self, when: str, procedure: str = "L.5") -> AnyEnvelope:
        """The receipt."""
        self.at = at(when)
        return self.received(procedure, "STP")

    def ask_supplement(self, when: str, *, before_receipt: bool = False, recorded: str | None = None) -> AnyEnvelope:
        """A request for missing papers."""
        return self.act(
            DossierSupplementRequiredV1(
                state="supplement_required",
                before_receipt=before_receipt,
                papers=("form",),
                form=Form(kind="02", number="02/1"),
            ),
            when,
            recorded=recorded,
        )

    def supplement_received(self, when: str, *, recorded: str | None = None) -> AnyEnvelope:
        """The receipt of the missing papers."""
        return self.act(DossierSupplementReceivedV1(state="received"), when, recorded=recorded)

    def settle(self, when: str, *, recorded: str | None = None) -> AnyEnvelope:
        """The settlement."""
        return self.act(DossierSettledV1(state="settled", outcome="approved"), when, recorded=recorded)

    def extend(self, when: str, by: int | date, *, recorded: str | None = None) -> AnyEnvelope:
        """An extension, by working days or to a date."""
        days, day = (by, None) if isinstance(by, int) else (None, by)
        form = Form(kind="04", number="04/1")
        return self.act(
            DossierExtendedV1(state="processing", working_days=days, to_date=day, form=form), when, recorded=recorded
        )

    def begin_step(self, when: str, step: int, department: str = "STC", *, recorded: str | None = None) -> AnyEnvelope:
        """The begin of a further step at another department."""
        data = DossierStepBegunV1(state="processing", step=step, department=department, passed_on_by="STP")
        return self.act(data, when, recorded=recorded)

    def reopen(self, when: str) -> AnyEnvelope:
        """The reopening after a settlement."""
        return self.act(DossierReopenedV1(state="processing"), when)

    def withdraw(self, when: str) -> AnyEnvelope:
        """The withdrawal by the applicant."""
        return self.act(DossierWithdrawnV1(state="withdrawn"), when)

    def record_step(self, when: str) -> AnyEnvelope:
        """A recorded activity, which does not change the clock."""
        return self.act(DossierStepRecordedV1(state="processing", activity="checked"), when)
