"""`ask_payment`: a financial obligation must be met; the clock pauses."""

from typing import Annotated

from pydantic import Field

from services.intake.domain.life_cycle import IN_WORK, from_states
from services.intake.dossiers.act import Act, EventDraft, PendingAct, present
from services.intake.dossiers.fields import ActData, Text
from shared.contracts.dossiers import DossierPaymentRequiredV1


class AskPayment(ActData):
    """Ask for a payment."""

    amount_vnd: Annotated[int, Field(gt=0, le=10**14)]
    reason: Text | None = None


def decide(pending: PendingAct, data: AskPayment) -> list[EventDraft]:
    """The request for payment; its reason stays in intake."""
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
