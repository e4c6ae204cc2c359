"""`paid`: the applicant has met the financial obligation; the clock resumes."""

from services.intake.dossiers.act import Act, EventDraft, PendingAct
from services.intake.dossiers.fields import NoData
from shared.contracts.dossiers import DossierPaidV1


def decide(pending: PendingAct, data: NoData) -> list[EventDraft]:
    """Apply the payment to the dossier and return its event draft."""
    return [pending.draft(DossierPaidV1(state=pending.to))]


ACT = Act(
    name="paid",
    moves={"payment_required": "back"},
    roles=frozenset({"clerk"}),
    decide=decide,
    event=DossierPaidV1,
    touches_clock=True,
)
