"""`withdraw`: the applicant withdraws the request; the clock ends."""

from services.intake.domain.life_cycle import OPEN, from_states
from services.intake.dossiers.act import Act, EventDraft, PendingAct, always, present
from services.intake.dossiers.fields import ActData, Text
from shared.contracts.dossiers import DossierWithdrawnV1


class Withdraw(ActData):
    """Withdraw the applicant's request; this is final."""

    reason: Text | None = None


def decide(pending: PendingAct, data: Withdraw) -> list[EventDraft]:
    """Apply the withdrawal to the dossier and return its event draft; the reason stays in intake."""
    return [pending.draft(DossierWithdrawnV1(state=pending.to), details=present(reason=data.reason))]


ACT = Act(
    name="withdraw",
    moves=from_states(OPEN, "withdrawn"),
    roles=frozenset({"applicant", "clerk"}),
    data=Withdraw,
    decide=decide,
    event=DossierWithdrawnV1,
    sends_papers=always,
    touches_clock=True,
)
