"""`reopen`: a leader has a settled dossier worked on again; the time since the settlement counts as a pause."""

from services.intake.domain.dossier import Dossier
from services.intake.dossiers.act import Act, EventDraft, Occurrence, PendingAct, present
from services.intake.dossiers.fields import ActData, Text
from shared.contracts.dossiers import DossierReopenedV1


class Reopen(ActData):
    """Reopen the settled dossier."""

    reason: Text


def decide(pending: PendingAct, data: Reopen) -> list[EventDraft]:
    """The reopening; its reason stays in intake."""
    return [pending.draft(DossierReopenedV1(state=pending.to), details=present(reason=data.reason))]


def change(dossier: Dossier, event: DossierReopenedV1, occurrence: Occurrence) -> None:
    """Remove settlement and result."""
    dossier.reopen()


ACT = Act(
    name="reopen",
    moves={"settled": "processing"},
    roles=frozenset({"leader"}),
    data=Reopen,
    decide=decide,
    event=DossierReopenedV1,
    change=change,
    touches_clock=True,
)
