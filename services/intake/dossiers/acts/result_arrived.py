"""`result_arrived`: the result is at the returning place."""

from services.intake.domain.dossier import Dossier
from services.intake.domain.life_cycle import NOT_FINAL, from_states
from services.intake.dossiers.act import Act, EventDraft, Occurrence, PendingAct
from services.intake.dossiers.fields import NoData
from shared.contracts.dossiers import DossierResultArrivedV1


def decide(pending: PendingAct, data: NoData) -> list[EventDraft]:
    """Apply the arrival of the result to the dossier and return its event draft."""
    return [pending.draft(DossierResultArrivedV1(state=pending.to))]


def change(dossier: Dossier, event: DossierResultArrivedV1, occurrence: Occurrence) -> None:
    """Store when the result came to the returning place, unless an earlier instant is stored."""
    dossier.add_result(occurrence.at)


ACT = Act(
    name="result_arrived",
    moves=from_states(NOT_FINAL, "stay"),
    roles=frozenset({"clerk"}),
    decide=decide,
    event=DossierResultArrivedV1,
    change=change,
)
