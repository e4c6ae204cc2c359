"""`receive`: the centre receives the dossier (form 01), which gets its code."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.intake.domain import papers, roles
from services.intake.domain.competence import department_of_receipt
from services.intake.domain.dossier import Dossier
from services.intake.dossiers.act import Act, EventDraft, Occurrence, PendingAct, present
from services.intake.dossiers.fields import ActData, CounterNumber, Text, Word
from shared.contracts.dossiers import DossierReceivedElsewhereV1, DossierReceivedV1
from shared.contracts.envelope import Actor
from shared.kernel.centre import Requirement


class Receive(ActData):
    """Receive the dossier, which gets its code.

    `department` is needed if the competent department is not known, `missing_papers_reason` if mandatory papers are
    missing that were not asked for.
    """

    department: Word | None = None
    counter: CounterNumber | None = None
    missing_papers_reason: Text | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The content of a receipt that passed every check and is not applied to the dossier yet."""

    department: str
    counter: int | None
    incomplete: bool
    reason: str | None


def check_receipt(
    data: Receive,
    actor: Actor,
    *,
    department: str | None,
    requirements: Sequence[Requirement] | None,
    handed_in: Collection[str | None],
    requested: Collection[str],
    departments: Collection[str],
) -> Receipt:
    """Check department, papers and counter of a receipt, and return its content; changes no dossier.

    Raises DepartmentRequiredError, PapersMissingError or NotOwnCounterError.
    """
    competent = department_of_receipt(data.department, known=department, departments=departments)
    missing = papers.missing_papers(requirements, handed_in)
    incomplete = papers.check_receipt(missing, reason=data.missing_papers_reason, requested=requested)
    return Receipt(competent, roles.own_counter(actor, data.counter), incomplete, data.missing_papers_reason)


def draft_receipt(pending: PendingAct, receipt: Receipt) -> list[EventDraft]:
    """Apply a checked receipt to the dossier and return its event drafts.

    The second draft, `dossier.received_elsewhere`, exists only if routing's assignment is known and names other
    counters.
    """
    dossier = pending.dossier
    received = pending.draft(
        DossierReceivedV1(
            state=pending.to,
            code="",
            procedure=dossier.procedure,
            department=receipt.department,
            channel=dossier.channel,
            counter=receipt.counter,
            form=pending.form,
            incomplete=receipt.incomplete,
        ),
        details=present(missing_papers_reason=receipt.reason),
    )
    elsewhere = received_elsewhere(dossier)
    return [received] if elsewhere is None else [received, EventDraft(event=elsewhere, time=pending.at)]


def received_elsewhere(dossier: Dossier) -> DossierReceivedElsewhereV1 | None:
    """Return the event of a receipt at another counter than those that routing assigned, else None; publishes nothing.

    Such a receipt is never refused for that reason.
    """
    place = dossier.receiving_place_missed
    if place is None or dossier.state is None or dossier.counter is None:
        return None
    return DossierReceivedElsewhereV1(state=dossier.state, counter=dossier.counter, receiving_place=place)


def decide(pending: PendingAct, data: Receive) -> list[EventDraft]:
    """Apply the receipt to the dossier and return its event drafts.

    Raises a Refusal if the competent department is unclear, if a mandatory paper is missing that was not asked for and
    whose absence has no reason, or if a clerk names another counter.
    """
    dossier = pending.dossier
    receipt = check_receipt(
        data,
        pending.actor,
        department=dossier.department,
        requirements=pending.requirements,
        handed_in=dossier.handed_in,
        requested=dossier.requested_papers,
        departments=pending.context.departments_on(pending.day),
    )
    return draft_receipt(pending, receipt)


def change(dossier: Dossier, event: DossierReceivedV1, occurrence: Occurrence) -> None:
    """Apply the event of the receipt to the dossier.

    While the act is decided, the event has no code yet; in a rebuild it has one.
    """
    dossier.receive(department=event.department, counter=event.counter, incomplete=event.incomplete, at=occurrence.at)
    if event.code:
        dossier.assign_code(event.code)


ACT = Act(
    name="receive",
    moves={"submitted": "received"},
    roles=frozenset({"clerk"}),
    data=Receive,
    decide=decide,
    event=DossierReceivedV1,
    change=change,
    form="01",
    touches_clock=True,
)
