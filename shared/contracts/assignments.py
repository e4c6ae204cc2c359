"""Events of routing: where a dossier is received, who is competent, where its result is returned, and why."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.contracts.envelope import ContractModel, EventData, Open
from shared.contracts.topics import ASSIGNMENTS


class ReceivingPlace(ContractModel):
    """Where the dossier is received: at the counters of `department`, or at the general counter.

    `counters` are the numbers of the counters that exist there on the assignment's `local_date`.
    """

    kind: Open[Literal["department", "general"]]
    department: str | None = None
    counters: tuple[int, ...] = ()


class WeekFigure(ContractModel):
    """The figures of one week of a department, for the general counter's rule.

    `week` is the Monday, `dossiers` the dossiers received that the rule counts, `working_days` the working days of the
    week.
    """

    week: date
    dossiers: int
    working_days: int


class AssignmentReason(ContractModel):
    """Why the dossier is assigned like this or cannot be assigned: the version of the rule, and a text for people.

    `decision` is the number of the decision by which the department's dossiers are received there, `in_force_from` its
    first day. `figures` are the weeks of the proposal that this decision approved; empty if it approved none.
    """

    rule: str
    decision: str | None = None
    in_force_from: date | None = None
    text: str
    figures: tuple[WeekFigure, ...] = ()


class AssignmentDecidedV1(EventData):
    """The dossier is assigned, by the rules on the local date of its submission.

    Published again if the receipt names another department, which replaces the earlier assignment, or if a further step
    begins, which changes only the competent department. `returning_place` is `results` (the centre's counters for
    results) or a department's code. `step` is the number of the step that `competent_department` resolves.
    """

    TYPE: ClassVar[str] = "assignment.decided"
    TOPIC: ClassVar[str] = ASSIGNMENTS.name

    dossier_sequence: int
    procedure: str
    local_date: date
    receiving_place: ReceivingPlace
    competent_department: str
    returning_place: str
    reason: AssignmentReason
    step: int = Field(default=1, ge=1)


class AssignmentWaitingV1(EventData):
    """The dossier cannot be assigned yet. It is in the list of waiting dossiers until it can.

    Either the catalogue does not contain the procedure (`waiting_for` is `procedure`), or a department must be named
    (`department`): the procedure has several, or the named one is not a department of the centre.
    """

    TYPE: ClassVar[str] = "assignment.waiting"
    TOPIC: ClassVar[str] = ASSIGNMENTS.name

    dossier_sequence: int
    procedure: str
    waiting_for: Open[Literal["procedure", "department"]] | None = None
    reason: AssignmentReason
