"""What routing tells: where a dossier is received, who is competent, where its result is returned, and why."""

from datetime import date
from typing import ClassVar, Literal

from shared.contracts.envelope import EventData, Open, Wire
from shared.contracts.topics import ASSIGNMENTS


class ReceivingPlace(Wire):
    """ "Counters of department X" or "the general counter"; `counters` are the numbers open there on that day."""

    kind: Open[Literal["department", "general"]]
    department: str | None = None
    counters: tuple[int, ...] = ()


class AssignmentReason(Wire):
    """Why: the rule's version, the decision in force (number, since when) and a sentence for people."""

    rule: str
    decision: str | None = None
    in_force_from: date | None = None
    text: str


class AssignmentDecidedV1(EventData):
    """Decided once, by the local date of the submission."""

    TYPE: ClassVar[str] = "assignment.decided"
    TOPIC: ClassVar[str] = ASSIGNMENTS.name

    dossier_sequence: int
    procedure: str
    local_date: date
    receiving_place: ReceivingPlace
    competent_department: str
    returning_place: str
    reason: AssignmentReason


class AssignmentWaitingV1(EventData):
    """The procedure is not known (or has several competent departments and none was named): somebody must enter it."""

    TYPE: ClassVar[str] = "assignment.waiting"
    TOPIC: ClassVar[str] = ASSIGNMENTS.name

    dossier_sequence: int
    procedure: str
    reason: AssignmentReason
