"""`reopen`: a leader reopens a settled dossier for more work; the time since the settlement counts as a pause."""

from services.intake.domain.dossier import Dossier
from services.intake.dossiers.act import Act, EventDraft, Occurrence, PendingAct, present
from services.intake.dossiers.fields import ActData, Text
from shared.contracts.dossiers import DossierReopenedV1


class Reopen(ActData):
    """Reopen the settled dossier, so that it is processed again."""

    reason: Text


def decide(pending: PendingAct, data: Reopen) -> list[EventDraft]:
    """Apply the reopening to the dossier and return its event draft; the reason stays in intake."""
    return [pending.draft(DossierReopenedV1(state=pending.to), details=present(reason=data.reason))]


def change(dossier: Dossier, event: DossierReopenedV1, occurrence: Occurrence) -> None:
    """Remove the instants of settlement and result from the dossier."""
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
