"""`stop`: work ends without a result (form 05); the clock ends."""

from services.intake.domain.life_cycle import IN_WORK, from_states
from services.intake.dossiers.act import Act, EventDraft, PendingAct, always, present
from services.intake.dossiers.fields import ActData, Text
from shared.contracts.dossiers import DossierStoppedV1


class Stop(ActData):
    """Stop the work on the dossier without a result; this is final."""

    reason: Text


def decide(pending: PendingAct, data: Stop) -> list[EventDraft]:
    """Apply the stop to the dossier and return its event draft; the reason stays in intake."""
    event = DossierStoppedV1(state=pending.to, form=pending.form)
    return [pending.draft(event, details=present(reason=data.reason))]


ACT = Act(
    name="stop",
    moves=from_states((*IN_WORK, "supplement_required", "payment_required"), "stopped"),
    roles=frozenset({"officer"}),
    data=Stop,
    decide=decide,
    event=DossierStoppedV1,
    sends_papers=always,
    form="05",
    touches_clock=True,
)
