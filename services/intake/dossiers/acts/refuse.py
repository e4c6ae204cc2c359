"""`refuse`: the centre does not receive the dossier (form 03)."""

from services.intake.dossiers.act import Act, EventDraft, PendingAct, present
from services.intake.dossiers.fields import ActData, Text
from shared.contracts.dossiers import DossierRefusedV1


class Refuse(ActData):
    """Refuse to receive the dossier."""

    reason: Text


def decide(pending: PendingAct, data: Refuse) -> list[EventDraft]:
    """The refusal; its reason stays in intake."""
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
