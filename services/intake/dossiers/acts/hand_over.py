"""`hand_over`: papers go from the receiving place to the department in a numbered batch."""

from pydantic import model_validator

from services.intake.domain.life_cycle import NOT_FINAL, from_states
from services.intake.dossiers.act import Act, EventDraft, PendingAct, always, present
from services.intake.dossiers.fields import Account, ActData, Word, check_signatures
from shared.contracts.dossiers import DossierHandedOverV1


class HandOver(ActData):
    """Record that the dossier's papers went to the department in the batch numbered `batch`; two accounts sign."""

    batch: Word
    given_by: Account
    taken_by: Account

    @model_validator(mode="after")
    def _check_signatures(self) -> "HandOver":
        check_signatures(self.given_by, self.taken_by)
        return self


def decide(pending: PendingAct, data: HandOver) -> list[EventDraft]:
    """Apply the hand-over to the dossier and return its event draft; the signatures stay in intake."""
    signatures = present(given_by=data.given_by, taken_by=data.taken_by)
    return [pending.draft(DossierHandedOverV1(state=pending.to, batch=data.batch), details=signatures)]


ACT = Act(
    name="hand_over",
    moves=from_states(NOT_FINAL, "stay"),
    roles=frozenset({"clerk"}),
    data=HandOver,
    decide=decide,
    event=DossierHandedOverV1,
    sends_papers=always,
)
