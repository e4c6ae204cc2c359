"""`ask_payment`: the applicant must meet a financial obligation; the clock pauses."""

from typing import Annotated

from pydantic import Field

from services.intake.domain.life_cycle import IN_WORK, from_states
from services.intake.dossiers.act import Act, EventDraft, PendingAct, present
from services.intake.dossiers.fields import ActData, Text
from shared.contracts.dossiers import DossierPaymentRequiredV1


class AskPayment(ActData):
    """Ask the applicant for a payment; the clock pauses."""

    amount_vnd: Annotated[int, Field(gt=0, le=10**14)]
    reason: Text | None = None


def decide(pending: PendingAct, data: AskPayment) -> list[EventDraft]:
    """Apply the request for payment to the dossier and return its event draft; the reason stays in intake."""
    event = DossierPaymentRequiredV1(state=pending.to, amount_vnd=data.amount_vnd)
    return [pending.draft(event, details=present(reason=data.reason))]


ACT = Act(
    name="ask_payment",
    moves=from_states(IN_WORK, "payment_required"),
    roles=frozenset({"officer"}),
    data=AskPayment,
    decide=decide,
    event=DossierPaymentRequiredV1,
    touches_clock=True,
)
