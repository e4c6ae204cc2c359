"""`take_over`: an officer of the competent department begins to work on the dossier."""

from services.intake.domain.dossier import Dossier
from services.intake.domain.hand_overs import is_own_counter
from services.intake.dossiers.act import Act, EventDraft, Occurrence, PendingAct
from services.intake.dossiers.fields import NoData
from shared.contracts.dossiers import DossierTakenOverV1


def decide(pending: PendingAct, data: NoData) -> list[EventDraft]:
    """Apply the take-over by the competent department to the dossier and return its event draft."""
    return [pending.draft(DossierTakenOverV1(state=pending.to, department=pending.dossier.department or ""))]


def change(dossier: Dossier, event: DossierTakenOverV1, occurrence: Occurrence) -> None:
    """Set the dossier's competent department to the event's."""
    dossier.take_over(event.department)


def sends_papers(dossier: Dossier, occurrence: Occurrence) -> bool:
    """Return whether the papers wait at a counter of the department itself, where its officer takes them.

    Papers at any other counter still have to be handed over.
    """
    return is_own_counter(occurrence.centre, dossier.papers_counter, dossier.department, occurrence.day)


ACT = Act(
    name="take_over",
    moves={"received": "processing"},
    roles=frozenset({"officer"}),
    decide=decide,
    event=DossierTakenOverV1,
    change=change,
    sends_papers=sends_papers,
)
