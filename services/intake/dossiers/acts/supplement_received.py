"""`supplement_received`: the requested papers came; the clock resumes."""

from pydantic import Field

from services.intake.domain.dossier import Dossier
from services.intake.domain.papers import check_documents
from services.intake.dossiers.act import Act, EventDraft, Occurrence, PendingAct, published_documents
from services.intake.dossiers.fields import ActData, Documents
from shared.contracts.dossiers import DossierSupplementReceivedV1


class SupplementReceived(ActData):
    """Record the documents that came after a request for papers; the clock resumes."""

    documents: Documents = Field(default_factory=list)


def decide(pending: PendingAct, data: SupplementReceived) -> list[EventDraft]:
    """Apply the supplement to the dossier and return its event draft.

    Raises UnknownRequirementError for a document that names no requirement of the procedure, if these are entered.
    """
    requirements = pending.requirements
    handed_in = [document.requirement for document in data.documents]
    check_documents(requirements, handed_in)
    pending.dossier.add_documents(handed_in)
    documents = published_documents(data.documents, requirements)
    event = DossierSupplementReceivedV1(state=pending.to, documents=documents)
    return [pending.draft(event, documents=data.documents)]


def change(dossier: Dossier, event: DossierSupplementReceivedV1, occurrence: Occurrence) -> None:
    """Apply the event of the supplement to the dossier: its documents, and papers that now wait at the counter.

    Requirements in free text are not in the event; `decide` adds them.
    """
    dossier.add_documents(document.requirement for document in event.documents)
    media_types = [document.media_type for document in event.documents]
    dossier.add_supplement(media_types, counter=occurrence.counter, at=occurrence.at)


ACT = Act(
    name="supplement_received",
    moves={"supplement_required": "back"},
    roles=frozenset({"clerk"}),
    data=SupplementReceived,
    decide=decide,
    event=DossierSupplementReceivedV1,
    change=change,
    touches_clock=True,
)
