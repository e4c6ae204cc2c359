"""What routing tells: where a dossier is received, who is competent, where its result is returned, and why."""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from shared.contracts.envelope import EventData, Open, Wire
from shared.contracts.topics import ASSIGNMENTS


class ReceivingPlace(Wire):
    """ "Counters of department X" or "the general counter"; `counters` are the numbers open there on that day."""

    kind: Open[Literal["department", "general"]]
    department: str | None = None
    counters: tuple[int, ...] = ()


class WeekFigure(Wire):
    """A department's week, from Monday on: dossiers received that count, and the working days that it had."""

    week: date
    dossiers: int
    working_days: int


class AssignmentReason(Wire):
    """Why: the rule's version, the decision in force (number, since when) and a sentence for people.

    `figures` are the weeks on which that decision was proposed, if it was.
    """

    rule: str
    decision: str | None = None
    in_force_from: date | None = None
    text: str
    figures: tuple[WeekFigure, ...] = ()


class AssignmentDecidedV1(EventData):
    """Decided by the local date of the submission; told again only where the receipt names another department, which
    replaces what was told before, or where a further step begins: that changes the competent department alone.
    `returning_place` is "results" (the centre's counters for results) or a department's code, `step` the one that the
    department has.
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
    """No assignment yet: the catalogue lacks the procedure, or the department must be named (the procedure has
    several, or the one named is not the centre's). Listed until then.
    """

    TYPE: ClassVar[str] = "assignment.waiting"
    TOPIC: ClassVar[str] = ASSIGNMENTS.name

    dossier_sequence: int
    procedure: str
    waiting_for: Open[Literal["procedure", "department"]] | None = None
    reason: AssignmentReason
