"""`next_step`: the dossier passes to the department of the procedure's next step."""

from services.intake.domain.competence import department_of_step
from services.intake.domain.dossier import Dossier
from services.intake.dossiers.act import Act, EventDraft, Occurrence, PendingAct
from services.intake.dossiers.fields import ActData, Word
from shared.contracts.dossiers import DossierStepBegunV1


class NextStep(ActData):
    """Pass the dossier to the department of the next step.

    `department` is needed if the catalogue does not determine that department.
    """

    department: Word | None = None


def decide(pending: PendingAct, data: NextStep) -> list[EventDraft]:
    """Apply the next step to the dossier and return its event draft; the step's department is competent at once.

    Routing publishes its assignment later. Raises LastStepError after the last step, and DepartmentRequiredError if the
    request must name a department and does not, or names a wrong one.
    """
    dossier, centre = pending.dossier, pending.context.centre
    assert dossier.department is not None, "a received dossier has a department"
    steps = centre.steps_of(dossier.procedure, centre.local_date(dossier.received_at or pending.at))
    number = dossier.step + 1
    department = department_of_step(
        data.department,
        number=number,
        by_catalogue=[step.department for step in steps],
        current=dossier.department,
        departments=pending.context.departments_on(pending.day),
    )
    event = DossierStepBegunV1(state=pending.to, step=number, department=department, passed_on_by=dossier.department)
    return [pending.draft(event)]


def change(dossier: Dossier, event: DossierStepBegunV1, occurrence: Occurrence) -> None:
    """Make the event's step the current one, and its department the competent one."""
    dossier.begin_step(event.step, event.department)


ACT = Act(
    name="next_step",
    moves={"processing": "stay"},
    roles=frozenset({"officer"}),
    data=NextStep,
    decide=decide,
    event=DossierStepBegunV1,
    change=change,
)
