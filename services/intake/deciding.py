"""What each act does to a locked dossier: pure decisions. No SQL, no await, nothing changed before all is checked."""

from collections.abc import Callable, Mapping
from typing import Any

from services.intake import act_data
from services.intake.cases import Case, Draft, Setting, on_the_wire, present
from services.intake.domain import competence, contacts, extensions, papers, roles
from services.intake.domain.acts import find_act, move
from services.intake.domain.whereabouts import brings_papers, is_own_counter
from services.intake.receiving import receive, submit
from services.intake.requests import ActLine
from services.intake.tables import DossierRow
from shared.contracts import dossiers as events
from shared.contracts.envelope import Actor
from shared.kernel.errors import ExpectedError, FieldError, Refusal


def acting(key: Actor, line: ActLine, *, played: bool) -> Actor:
    """Who does the act of a line that came with `key`: the key's own actor, and an importer's the one that it names.

    Raises Refusal: 403 where another actor is named than the key's, or an importer comes to a centre whose time
    is not set (`played`); 422 where an importer names none.
    """
    named = line.actor
    if key.role != "importer":
        roles.check_named_actor(key, named.model_dump(exclude_none=True))
        return key
    if not played:
        raise ExpectedError("role-may-not", "an importer acts only on a centre whose time is set", status=403)
    actor_id, role = roles.named_actor(named.id, named.role)
    return Actor(
        kind=named.kind or "person", id=actor_id, role=role, department=named.department, counter=named.counter
    )


def decide(
    line: ActLine,
    actor: Actor,
    row: DossierRow | None,
    new: Callable[[], DossierRow],
    setting: Setting,
) -> list[Draft]:
    """Judge one act of `actor` on its locked dossier (`row`, None where there is none) and change the row accordingly.

    `new` gives the row of a dossier to be submitted. Raises Refusal and then has changed nothing.
    """
    act = find_act(line.act)
    roles.check_role(act, actor.role)
    if act.name == "submit":
        return submit(line, _checked(line.data), actor, row, new, setting)
    if line.reference is None:
        detail = "name the dossier: by its id, its code or its code in another system"
        raise ExpectedError("invalid-content", detail, status=422, errors=[FieldError("/dossier", detail)])
    if row is None or row.state is None or not _may_know(line, actor, row):
        raise ExpectedError("no-such-dossier", "there is no such dossier, or it is not this key's to know", status=404)
    roles.check_actor(act, actor, state=row.state, department=row.department, submitted_by=row.submitted_by)
    to = move(act, row.state, row.came_from)
    at = setting.occurred_at(line.occurred_at, previous=row.last_act_at)
    return _DECISIONS[act.name](Case(act, row, actor, at, to, setting), _checked(line.data))


def _checked(data: act_data.Data | Refusal | None) -> Any:
    if isinstance(data, Refusal):
        raise data
    return data


def _may_know(line: ActLine, actor: Actor, row: DossierRow) -> bool:
    """A code can be guessed, an id cannot: who names an officer's dossier by id is told that it is not theirs."""
    if actor.role == "officer" and line.reference is not None and line.reference.kind == "id":
        return True
    return roles.sees(actor, department=row.department, submitted_by=row.submitted_by)


def _refuse(case: Case, data: act_data.Refuse) -> list[Draft]:
    event = events.DossierRefusedV1(state=case.to, form=events.Form(kind="03", number=""))
    return [case.draft(event, details=present(reason=data.reason))]


def _take_over(case: Case, data: act_data.Nothing) -> list[Draft]:
    """At the department's own counter the officer has the papers with it; elsewhere they are still to be carried."""
    row = case.row
    event = events.DossierTakenOverV1(state=case.to, department=row.department or "")
    own = is_own_counter(case.setting.centre, row.papers_counter, row.department, case.day)
    return [case.papers_went(event) if own else case.draft(event)]


def _ask_supplement(case: Case, data: act_data.AskSupplement) -> list[Draft]:
    names = papers.named_papers(case.requirements, data.papers)
    case.row.asked_papers = sorted({*case.row.asked_papers, *names})
    event = events.DossierSupplementRequiredV1(
        state=case.to,
        before_receipt=case.row.received_at is None,
        papers=names if case.requirements is not None else (),
        form=events.Form(kind="02", number=""),
    )
    written = {"papers": list(names)} if case.requirements is None else {}
    return [case.draft(event, details=present(reason=data.reason) | written)]


def _supplement_received(case: Case, data: act_data.SupplementReceived) -> list[Draft]:
    papers.check_documents(case.requirements, [document.requirement for document in data.documents])
    brought = {document.requirement for document in data.documents if document.requirement}
    case.row.handed_in = sorted({*case.row.handed_in, *brought})
    row = case.row
    if row.received_at and brings_papers([document.media_type for document in data.documents], row.channel):
        row.whereabouts = row.whereabouts.papers_came(case.at, case.actor.counter or row.counter)
    event = events.DossierSupplementReceivedV1(state=case.to, documents=on_the_wire(data.documents, case.requirements))
    return [case.draft(event, documents=data.documents)]


def _ask_payment(case: Case, data: act_data.AskPayment) -> list[Draft]:
    event = events.DossierPaymentRequiredV1(state=case.to, amount_vnd=data.amount_vnd)
    return [case.draft(event, details=present(reason=data.reason))]


def _paid(case: Case, data: act_data.Nothing) -> list[Draft]:
    return [case.draft(events.DossierPaidV1(state=case.to))]


def _settle(case: Case, data: act_data.Settle) -> list[Draft]:
    event = events.DossierSettledV1(state=case.to, outcome=data.outcome, electronic_result=data.electronic_result)
    case.row.whereabouts = case.row.whereabouts.settled(case.at, electronic=data.electronic_result)
    return [case.papers_went(event, details=present(reason=data.reason))]


def _stop(case: Case, data: act_data.Stop) -> list[Draft]:
    event = events.DossierStoppedV1(state=case.to, form=events.Form(kind="05", number=""))
    return [case.papers_went(event, details=present(reason=data.reason))]


def _withdraw(case: Case, data: act_data.Withdraw) -> list[Draft]:
    return [case.papers_went(events.DossierWithdrawnV1(state=case.to), details=present(reason=data.reason))]


def _return_result(case: Case, data: act_data.ReturnResult) -> list[Draft]:
    case.row.whereabouts = case.row.whereabouts.result_came(case.at)
    return [case.draft(events.DossierReturnedV1(state=case.to, way=data.way))]


def _record_step(case: Case, data: act_data.RecordStep) -> list[Draft]:
    """Words of the centre's list travel, by their codes; everybody's own words stay here."""
    centre, group = case.setting.centre, None
    activity = centre.step_code("activity", data.activity, case.day)
    written = {} if activity else {"activity": data.activity}
    if data.group is not None:
        group = centre.step_code("group", data.group, case.day)
        written |= {} if group else {"group": data.group}
    event = events.DossierStepRecordedV1(state=case.to, activity=activity or events.UNLISTED, group=group)
    return [case.draft(event, details=written | present(note=data.note))]


def _hand_over(case: Case, data: act_data.HandOver) -> list[Draft]:
    signatures = present(given_by=data.given_by, taken_by=data.taken_by)
    return [case.papers_went(events.DossierHandedOverV1(state=case.to, batch=data.batch), details=signatures)]


def _extend(case: Case, data: act_data.Extend) -> list[Draft]:
    row, centre = case.row, case.setting.centre
    due_at = extensions.standing_due(row.due, row.clock_sequence)
    rules = centre.thresholds(centre.local_date(row.received_at or case.at))
    extensions.check_extension(at=case.at, due_at=due_at, made=row.extensions, at_most=rules.max_extensions)
    if data.to_date is not None:
        extensions.check_date(data.to_date, due_at=due_at, calendar=case.setting.calendar)
    row.extensions += 1
    event = events.DossierExtendedV1(
        state=case.to,
        working_days=data.working_days,
        to_date=data.to_date,
        form=events.Form(kind="04", number=""),
    )
    return [case.draft(event, details=present(reason=data.reason))]


def _next_step(case: Case, data: act_data.NextStep) -> list[Draft]:
    """The next department is competent at once; routing tells its assignment."""
    row, centre = case.row, case.setting.centre
    assert row.department is not None  # a dossier has one from its receipt on
    steps = centre.steps_of(row.procedure, centre.local_date(row.received_at or case.at))
    number, before = row.step + 1, row.department
    row.department = competence.department_of_step(
        data.department,
        number=number,
        by_catalogue=[step.department for step in steps],
        present=before,
        departments=case.setting.departments_on(case.day),
    )
    row.step = number
    event = events.DossierStepBegunV1(state=case.to, step=number, department=row.department, passed_on_by=before)
    return [case.draft(event)]


def _reopen(case: Case, data: act_data.Reopen) -> list[Draft]:
    case.row.whereabouts = case.row.whereabouts.reopened()
    return [case.draft(events.DossierReopenedV1(state=case.to), details=present(reason=data.reason))]


def _result_arrived(case: Case, data: act_data.Nothing) -> list[Draft]:
    case.row.whereabouts = case.row.whereabouts.result_came(case.at)
    return [case.draft(events.DossierResultArrivedV1(state=case.to))]


def _correct_contact(case: Case, data: act_data.CorrectContact) -> list[Draft]:
    contact = data.applicant
    given = contact.model_dump(include=contact.model_fields_set)
    if not given:
        detail = "name what is to be corrected; null takes it away"
        raise ExpectedError("invalid-content", detail, status=422, errors=[FieldError("/data/applicant", detail)])
    contacts.check_contact(contact.phone, contact.email, pointer="/data/applicant")
    case.row.reach = list(contacts.corrected_reach(case.row.reach, given))
    event = events.DossierContactCorrectedV1(state=case.to, reach=tuple(case.row.reach))
    return [case.draft(event, corrected=given)]


_DECISIONS: Mapping[str, Callable[[Case, Any], list[Draft]]] = {
    "receive": receive,
    "refuse": _refuse,
    "take_over": _take_over,
    "ask_supplement": _ask_supplement,
    "supplement_received": _supplement_received,
    "ask_payment": _ask_payment,
    "paid": _paid,
    "settle": _settle,
    "stop": _stop,
    "withdraw": _withdraw,
    "return_result": _return_result,
    "record_step": _record_step,
    "hand_over": _hand_over,
    "result_arrived": _result_arrived,
    "correct_contact": _correct_contact,
    "extend": _extend,
    "next_step": _next_step,
    "reopen": _reopen,
}
