"""`submit`: an applicant or a clerk submits a request; with `receive`, the centre receives it at once (a walk-in)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from services.intake.domain import contacts, papers, roles
from services.intake.domain.competence import competent_department
from services.intake.domain.dossier import Dossier
from services.intake.domain.errors import DossierExistsError, ForeignCodeTakenError
from services.intake.dossiers.act import Act, DecisionContext, EventDraft, Occurrence, PendingAct, published_documents
from services.intake.dossiers.acts.receive import ACT as RECEIVE
from services.intake.dossiers.acts.receive import Receive, check_receipt, draft_receipt
from services.intake.dossiers.fields import ActData, Applicant, CounterNumber, Documents, ForeignCode, Word
from shared.contracts.dossiers import DossierSubmittedV1
from shared.contracts.dossiers import ForeignCode as PublishedCode
from shared.contracts.envelope import Actor
from shared.kernel.vocabulary import Channel


class Submit(ActData):
    """Submit a request under a procedure; with `receive`, submit and receive it at once (a walk-in)."""

    procedure: Word
    department: Word | None = None
    channel: Channel | None = None
    counter: CounterNumber | None = None
    applicant: Applicant = Applicant()
    documents: Documents = Field(default_factory=list)
    foreign_codes: Annotated[list[ForeignCode], Field(max_length=10)] = Field(default_factory=list)
    receive: Receive | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A submission that is about to be decided.

    `existing` is the dossier that is stored under its id, perhaps not submitted yet, or None. `new` creates the
    dossier.
    """

    actor: Actor
    existing: Dossier | None
    new: Callable[[], Dossier]
    occurred_at: datetime | None
    foreign_codes: tuple[ForeignCode, ...]
    context: DecisionContext


def decide(submission: Submission, data: Submit) -> list[EventDraft]:
    """Create and submit the dossier, for a walk-in also receive it, and return the event drafts.

    Raises a Refusal, such as DossierExistsError, before it creates or changes a dossier.
    """
    context, actor, existing = submission.context, submission.actor, submission.existing
    if existing is not None and existing.state is not None:
        raise DossierExistsError(state=existing.state)
    foreign_codes = _free_codes(submission)
    contacts.check_contact(data.applicant.phone, data.applicant.email, pointer="/data/applicant")
    channel = roles.submission_channel(actor.role, data.channel, data.counter)
    counter = roles.own_counter(actor, data.counter) if channel == "counter" else None
    at = context.instant_of_act(submission.occurred_at, previous=None)
    day = context.centre.local_date(at)
    procedure = context.centre.procedure(data.procedure, day)
    department = competent_department(
        data.department,
        procedure=data.procedure,
        by_catalogue=None if procedure is None else procedure.departments,
        departments=context.departments_on(day),
    )
    requirements = context.centre.requirements_of(data.procedure, day)
    handed_in = [document.requirement for document in data.documents]
    papers.check_documents(requirements, handed_in)
    receipt = None
    if data.receive is not None:
        roles.check_role(RECEIVE, actor.role)
        receipt = check_receipt(
            data.receive,
            actor,
            department=department,
            requirements=requirements,
            handed_in=handed_in,
            requested=(),
            departments=context.departments_on(day),
        )

    dossier = submission.new()
    dossier.add_documents(handed_in)
    context.taken.update(code.id for code in foreign_codes)
    event = DossierSubmittedV1(
        state="submitted",
        procedure=data.procedure,
        department=department,
        channel=channel,
        counter=counter,
        reach=contacts.reach_of(data.applicant.phone, data.applicant.email),
        foreign_codes=tuple(PublishedCode(system=code.system, code=code.code) for code in foreign_codes),
        documents=published_documents(data.documents, requirements),
    )
    submitted = PendingAct(ACT, dossier, actor, at, "submitted", context).draft(
        event, documents=data.documents, applicant=data.applicant, foreign_codes=foreign_codes
    )
    if receipt is None:
        return [submitted]
    return [
        submitted,
        *draft_receipt(PendingAct(RECEIVE, dossier, actor, at, "received", context), receipt),
    ]


def _free_codes(submission: Submission) -> list[ForeignCode]:
    """Return the submission's foreign codes, each once. Raises ForeignCodeTakenError if a dossier already has one."""
    codes = list({code.id: code for code in submission.foreign_codes}.values())
    for code in codes:
        if code.id in submission.context.taken:
            raise ForeignCodeTakenError(code=code.code, system=code.system)
    return codes


def change(dossier: Dossier, event: DossierSubmittedV1, occurrence: Occurrence) -> None:
    """Apply the submission event to the dossier.

    Requirements in free text are not in the event; `decide` adds them.
    """
    dossier.submit(
        procedure=event.procedure,
        department=event.department,
        channel=event.channel,
        by=occurrence.actor_id,
        at=occurrence.at,
        reach=event.reach,
    )
    dossier.add_documents(document.requirement for document in event.documents)


ACT = Act(
    name="submit",
    moves={None: "submitted"},
    roles=frozenset({"applicant", "clerk"}),
    data=Submit,
    decide=decide,
    event=DossierSubmittedV1,
    change=change,
)
