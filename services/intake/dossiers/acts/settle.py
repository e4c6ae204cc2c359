"""`settle`: the department has decided on the dossier; the clock ends."""

from typing import Literal

from services.intake.domain.dossier import Dossier
from services.intake.domain.life_cycle import IN_WORK, from_states
from services.intake.dossiers.act import Act, EventDraft, Occurrence, PendingAct, always, present
from services.intake.dossiers.fields import ActData, Text
from shared.contracts.dossiers import DossierSettledV1


class Settle(ActData):
    """Settle the dossier: the department has approved or rejected it."""

    outcome: Literal["approved", "rejected"]
    electronic_result: bool = False
    reason: Text | None = None


def decide(pending: PendingAct, data: Settle) -> list[EventDraft]:
    """Apply the settlement to the dossier and return its event draft; the reason stays in intake."""
    event = DossierSettledV1(state=pending.to, outcome=data.outcome, electronic_result=data.electronic_result)
    return [pending.draft(event, details=present(reason=data.reason))]


def change(dossier: Dossier, event: DossierSettledV1, occurrence: Occurrence) -> None:
    """Store the instant of the settlement; an electronic result is available at once."""
    dossier.settle(electronic=event.electronic_result, at=occurrence.at)


ACT = Act(
    name="settle",
    moves=from_states(IN_WORK, "settled"),
    roles=frozenset({"officer"}),
    data=Settle,
    decide=decide,
    event=DossierSettledV1,
    change=change,
    sends_papers=always,
    touches_clock=True,
)
