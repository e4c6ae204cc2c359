"""`extend`: the department takes more time and moves the due date, with an apology (form 04)."""

from typing import Annotated

from pydantic import Field, model_validator

from services.intake.domain.dossier import Dossier
from services.intake.domain.extensions import check_date, check_extension, current_due_date
from services.intake.dossiers.act import Act, EventDraft, Occurrence, PendingAct, present
from services.intake.dossiers.fields import ActData, LocalDate, Text
from shared.contracts.dossiers import DossierExtendedV1


class Extend(ActData):
    """Extend the due date by working days, or to the end of a working day; the apology (form 04) states the reason."""

    working_days: Annotated[int, Field(ge=1, le=250)] | None = None
    to_date: LocalDate | None = None
    reason: Text

    @model_validator(mode="after")
    def _check_one(self) -> "Extend":
        if (self.working_days is None) == (self.to_date is None):
            raise ValueError("An extension has exactly one of working_days and to_date.")
        return self


def decide(pending: PendingAct, data: Extend) -> list[EventDraft]:
    """Apply the extension to the dossier and return its event draft; the reason stays in intake.

    Raises a Refusal if sla has not published the current due date yet, if there is none or it has come, if the centre's
    quota of extensions is used up, or if `to_date` is not a working day after the due date.
    """
    dossier, centre = pending.dossier, pending.context.centre
    due_at = current_due_date(dossier)
    rules = centre.thresholds(centre.local_date(dossier.received_at or pending.at))
    check_extension(at=pending.at, due_at=due_at, made=dossier.extensions, max_extensions=rules.max_extensions)
    if data.to_date is not None:
        check_date(data.to_date, due_at=due_at, calendar=pending.context.calendar)
    event = DossierExtendedV1(state=pending.to, working_days=data.working_days, to_date=data.to_date, form=pending.form)
    return [pending.draft(event, details=present(reason=data.reason))]


def change(dossier: Dossier, event: DossierExtendedV1, occurrence: Occurrence) -> None:
    """Count the extension; sla derives the new due date from the event."""
    dossier.extend()


ACT = Act(
    name="extend",
    moves={"processing": "stay"},
    roles=frozenset({"officer"}),
    data=Extend,
    decide=decide,
    event=DossierExtendedV1,
    change=change,
    form="04",
    touches_clock=True,
    needs_due_date=True,
)
