"""`return_result`: the applicant has received the result."""

from typing import Literal

from services.intake.domain.dossier import Dossier
from services.intake.dossiers.act import Act, EventDraft, Occurrence, PendingAct
from services.intake.dossiers.fields import ActData
from shared.contracts.dossiers import DossierReturnedV1


class ReturnResult(ActData):
    """Record that the applicant received the result, and by which way."""

    way: Literal["counter", "post", "electronic"]


def decide(pending: PendingAct, data: ReturnResult) -> list[EventDraft]:
    """Apply the return of the result to the dossier and return its event draft."""
    return [pending.draft(DossierReturnedV1(state=pending.to, way=data.way))]


def change(dossier: Dossier, event: DossierReturnedV1, occurrence: Occurrence) -> None:
    """Store the instant of the return as that of the result, unless the result's arrival is already recorded."""
    dossier.add_result(occurrence.at)


ACT = Act(
    name="return_result",
    moves={"settled": "returned"},
    roles=frozenset({"clerk"}),
    data=ReturnResult,
    decide=decide,
    event=DossierReturnedV1,
    change=change,
)
