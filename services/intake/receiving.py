"""Submission and receipt: where a dossier gets its department, its papers are judged and its code is drawn."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.intake import act_data
from services.intake.cases import Case, Draft, Setting, applicant_record, on_the_wire, present
from services.intake.domain import competence, contacts, papers, roles
from services.intake.domain.acts import ACTS
from services.intake.domain.codes import CODE
from services.intake.domain.whereabouts import ON_PAPER
from services.intake.elsewhere import received_elsewhere
from services.intake.requests import ActLine
from services.intake.tables import DossierRow
from shared.contracts import dossiers as events
from shared.contracts.envelope import Actor
from shared.kernel.centre import Requirement
from shared.kernel.errors import ExpectedError, FieldError


def submit(
    line: ActLine,
    data: act_data.Submit,
    actor: Actor,
    row: DossierRow | None,
    new: Callable[[], DossierRow],
    setting: Setting,
) -> list[Draft]:
    """A new dossier; with `receive`, a walk-in. Raises Refusal and then has made nothing."""
    if line.reference is not None and line.reference.kind == "code":
        detail = "a dossier gets its code at receipt; a submission brings an id or a foreign code"
        raise ExpectedError("invalid-content", detail, status=422, errors=[FieldError("/dossier/code", detail)])
    if line.reference is not None and line.reference.kind == "id" and UUID(line.reference.value).version != 7:
        detail = "a dossier's id is a UUIDv7 (RFC 9562); leave it out to be given one"
        raise ExpectedError("invalid-content", detail, status=422, errors=[FieldError("/dossier/id", detail)])
    if row is not None and row.state is not None:
        raise ExpectedError("dossier-exists", f"dossier {row.key} is submitted already; it is {row.state}")
    foreign = list({code.id: code for code in line.foreign}.values())
    for code in foreign:
        if code.id in setting.taken:
            raise ExpectedError("foreign-code-taken", f"another dossier carries {code.code} of {code.system} already")
    contact = data.applicant
    contacts.check_contact(contact.phone, contact.email, pointer="/data/applicant")
    channel = roles.submission_channel(actor.role, data.channel, data.counter)
    counter = roles.own_counter(actor, data.counter) if channel == "counter" else None
    at = setting.occurred_at(line.occurred_at, previous=None)
    day = setting.centre.local_date(at)
    procedure = setting.centre.procedure(data.procedure, day)
    department = competence.competent_department(
        data.department,
        procedure=data.procedure,
        by_catalogue=None if procedure is None else procedure.departments,
        departments=setting.departments_on(day),
    )
    requirements = setting.centre.requirements_of(data.procedure, day)
    papers.check_documents(requirements, [document.requirement for document in data.documents])
    handed_in = sorted({document.requirement for document in data.documents if document.requirement})
    walk_in = None
    if data.receive is not None:
        roles.check_role(ACTS["receive"], actor.role)
        walk_in = _receipt(data.receive, actor, department, requirements, handed_in, (), setting.departments_on(day))

    row = new()
    row.procedure, row.department, row.channel = data.procedure, department, channel
    row.submitted_by, row.submitted_at = actor.id, at
    row.reach = list(contacts.reach(contact.phone, contact.email))
    row.handed_in = handed_in
    setting.taken.update(code.id for code in foreign)
    submission = Case(ACTS["submit"], row, actor, at, "submitted", setting)
    drafts = [
        submission.draft(
            events.DossierSubmittedV1(
                state="submitted",
                procedure=row.procedure,
                department=department,
                channel=channel,
                counter=counter,
                reach=tuple(row.reach),
                foreign_codes=tuple(events.ForeignCode(system=code.system, code=code.code) for code in foreign),
                documents=on_the_wire(data.documents, requirements),
            ),
            documents=data.documents,
            applicant=applicant_record(row, contact),
            foreign_codes=foreign,
        )
    ]
    if walk_in is not None:
        drafts += _received(Case(ACTS["receive"], row, actor, at, "received", setting), walk_in)
    return drafts


@dataclass(frozen=True, slots=True)
class _Receipt:
    """A receipt whose rules are all kept."""

    department: str
    counter: int | None
    incomplete: bool
    reason: str | None


def _receipt(
    data: act_data.Receive,
    actor: Actor,
    known: str | None,
    requirements: Sequence[Requirement] | None,
    handed_in: Sequence[str],
    asked_papers: Sequence[str],
    departments: Collection[str],
) -> _Receipt:
    department = competence.department_of_receipt(data.department, known=known, departments=departments)
    lacking = papers.missing(requirements, handed_in)
    incomplete = papers.check_receipt(lacking, reason=data.missing_papers_reason, asked_before=asked_papers)
    return _Receipt(department, roles.own_counter(actor, data.counter), incomplete, data.missing_papers_reason)


def _received(case: Case, receipt: _Receipt) -> list[Draft]:
    row = case.row
    row.department, row.counter, row.incomplete = receipt.department, receipt.counter, receipt.incomplete
    row.received_at = case.at
    if row.channel in ON_PAPER:
        row.whereabouts = row.whereabouts.papers_came(case.at, row.counter)
    received = case.draft(
        events.DossierReceivedV1(
            state="received",
            code="",
            procedure=row.procedure,
            department=receipt.department,
            channel=row.channel,
            counter=receipt.counter,
            form=events.Form(kind=CODE, number=""),
            incomplete=receipt.incomplete,
        ),
        details=present(missing_papers_reason=receipt.reason),
    )
    elsewhere = received_elsewhere(row)
    return [received] if elsewhere is None else [received, Draft(row=row, event=elsewhere, time=case.at)]


def receive(case: Case, data: act_data.Receive) -> list[Draft]:
    """The centre takes the dossier in; its papers are judged, or asked for, or a reason is recorded."""
    row = case.row
    departments = case.setting.departments_on(case.day)
    receipt = _receipt(
        data, case.actor, row.department, case.requirements, row.handed_in, row.asked_papers, departments
    )
    return _received(case, receipt)
