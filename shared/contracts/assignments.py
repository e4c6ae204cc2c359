"""Events of routing: where a dossier is received, who is competent, where its result is returned, and why."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.contracts.envelope import ContractModel, EventData, Open
from shared.contracts.topics import ASSIGNMENTS


class ReceivingPlace(ContractModel):
    """The counters of a department, or the general counter; `counters` are the numbers open there on that day."""

    kind: Open[Literal["department", "general"]]
    department: str | None = None
    counters: tuple[int, ...] = ()


class WeekFigure(ContractModel):
    """A department's week, from Monday: the dossiers received that count, and the working days."""

    week: date
    dossiers: int
    working_days: int


class AssignmentReason(ContractModel):
    """The reason: the version of the rule, the number and date of the decision in force, and a text for people.

    `figures` are the weeks on which the decision was proposed, if it was.
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
    results) or a department's code; `step` is the step of the department.
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
    """No assignment is possible yet, and the dossier is listed until it is.

    Either the catalogue does not contain the procedure, or the department must be named: the procedure has several, or
    the named one is not a department of the centre.
    """

    TYPE: ClassVar[str] = "assignment.waiting"
    TOPIC: ClassVar[str] = ASSIGNMENTS.name

    dossier_sequence: int
    procedure: str
    waiting_for: Open[Literal["procedure", "department"]] | None = None
    reason: AssignmentReason
