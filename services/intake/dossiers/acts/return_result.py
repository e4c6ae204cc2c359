"""`return_result`: the applicant got the result."""

from typing import Literal

from services.intake.domain.dossier import Dossier
from services.intake.dossiers.act import Act, EventDraft, Occurrence, PendingAct
from services.intake.dossiers.fields import ActData
from shared.contracts.dossiers import DossierReturnedV1


class ReturnResult(ActData):
    """Record how the applicant got the result."""

    way: Literal["counter", "post", "electronic"]


def decide(pending: PendingAct, data: ReturnResult) -> list[EventDraft]:
    """The return."""
    return [pending.draft(DossierReturnedV1(state=pending.to, way=data.way))]


def change(dossier: Dossier, event: DossierReturnedV1, occurrence: Occurrence) -> None:
    """A returned result was available, even if its arrival was not recorded."""
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
