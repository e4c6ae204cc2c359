"""`correct_contact`: members of the stored applicant, such as name, phone or e-mail, are corrected."""

from services.intake.domain import contacts
from services.intake.domain.dossier import Dossier
from services.intake.domain.life_cycle import NOT_FINAL, from_states
from services.intake.dossiers.act import Act, EventDraft, Occurrence, PendingAct
from services.intake.dossiers.fields import ActData, Applicant
from shared.contracts.dossiers import DossierContactCorrectedV1
from shared.kernel.errors import InvalidContentError


class CorrectContact(ActData):
    """Replace the named members of the applicant; null removes a member, an omitted one does not change."""

    applicant: Applicant


def decide(pending: PendingAct, data: CorrectContact) -> list[EventDraft]:
    """Apply the correction to the dossier and return its event draft.

    The event has only the ways to reach the applicant; the values stay in intake. Raises InvalidContentError if no
    member is named, InvalidContactError for an invalid phone number or e-mail address.
    """
    applicant = data.applicant
    corrections = applicant.model_dump(include=applicant.model_fields_set)
    if not corrections:
        raise InvalidContentError("Name the members to correct; null removes a member.", pointer="/data/applicant")
    contacts.check_contact(applicant.phone, applicant.email, pointer="/data/applicant")
    reach = contacts.corrected_reach(pending.dossier.reach, corrections)
    return [pending.draft(DossierContactCorrectedV1(state=pending.to, reach=reach), corrections=corrections)]


def change(dossier: Dossier, event: DossierContactCorrectedV1, occurrence: Occurrence) -> None:
    """Replace the dossier's ways to reach the applicant by those of the event."""
    dossier.correct_reach(event.reach)


ACT = Act(
    name="correct_contact",
    moves=from_states(NOT_FINAL, "stay"),
    roles=frozenset({"applicant", "clerk"}),
    data=CorrectContact,
    decide=decide,
    event=DossierContactCorrectedV1,
    change=change,
)
