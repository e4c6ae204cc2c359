"""`ask_supplement`: missing papers are requested (form 02); the clock pauses."""

from typing import Annotated

from pydantic import Field

from services.intake.domain.dossier import Dossier
from services.intake.domain.life_cycle import IN_WORK, from_states
from services.intake.domain.papers import paper_names
from services.intake.dossiers.act import Act, EventDraft, Occurrence, PendingAct, present
from services.intake.dossiers.fields import ActData, ShortText, Text
from shared.contracts.dossiers import DossierSupplementRequiredV1


class AskSupplement(ActData):
    """Ask the applicant for papers; the clock pauses.

    `papers` are keys or names of the procedure's requirements. If no requirements are entered, they are free text,
    which stays in intake.
    """

    papers: Annotated[list[ShortText], Field(min_length=1, max_length=50)]
    reason: Text | None = None


def decide(pending: PendingAct, data: AskSupplement) -> list[EventDraft]:
    """Apply the request for papers to the dossier and return its event draft; the reason stays in intake.

    If the procedure's requirements are not entered, the papers are free text and stay in intake, too. Otherwise raises
    UnknownRequirementError for a paper that is not a requirement.
    """
    dossier, requirements = pending.dossier, pending.requirements
    names = paper_names(requirements, data.papers)
    dossier.request_papers(names)
    event = DossierSupplementRequiredV1(
        state=pending.to,
        before_receipt=dossier.received_at is None,
        papers=names if requirements is not None else (),
        form=pending.form,
    )
    free_text = {"papers": list(names)} if requirements is None else {}
    return [pending.draft(event, details={**present(reason=data.reason), **free_text})]


def change(dossier: Dossier, event: DossierSupplementRequiredV1, occurrence: Occurrence) -> None:
    """Apply the event of the request for papers to the dossier.

    Papers in free text are not in the event; `decide` adds them.
    """
    dossier.request_papers(event.papers)


ACT = Act(
    name="ask_supplement",
    moves=from_states(("submitted", *IN_WORK), "supplement_required"),
    roles=frozenset({"clerk", "officer"}),
    data=AskSupplement,
    decide=decide,
    event=DossierSupplementRequiredV1,
    change=change,
    form="02",
    touches_clock=True,
)
