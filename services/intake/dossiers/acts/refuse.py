"""`refuse`: the centre does not receive the submitted dossier (form 03), which is final."""

from services.intake.dossiers.act import Act, EventDraft, PendingAct, present
from services.intake.dossiers.fields import ActData, Text
from shared.contracts.dossiers import DossierRefusedV1


class Refuse(ActData):
    """Refuse to receive the submitted dossier; this is final."""

    reason: Text


def decide(pending: PendingAct, data: Refuse) -> list[EventDraft]:
    """Apply the refusal to the dossier and return its event draft; the reason stays in intake."""
    event = DossierRefusedV1(state=pending.to, form=pending.form)
    return [pending.draft(event, details=present(reason=data.reason))]


ACT = Act(
    name="refuse",
    moves={"submitted": "refused"},
    roles=frozenset({"clerk"}),
    data=Refuse,
    decide=decide,
    event=DossierRefusedV1,
    form="03",
)
