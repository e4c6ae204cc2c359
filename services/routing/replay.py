"""Decide again from events and configuration alone: what `motcua verify` holds routing's state against."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from services.routing.domain.assignment import Assigned, Waiting, decide
from services.routing.domain.decisions import Decisions
from shared.contracts.assignments import (
    AssignmentDecidedV1,
    AssignmentReason,
    AssignmentWaitingV1,
    ReceivingPlace,
    WeekFigure,
)
from shared.contracts.dossiers import DossierReceivedV1, DossierStepBegunV1, DossierSubmittedV1
from shared.contracts.envelope import AnyEnvelope
from shared.kernel.centre import Centre


@dataclass(frozen=True, slots=True)
class Question:
    """What an assignment depends on, as the events give it; `dossier_sequence` is the last event that touched it.

    `passed_on_to` has the dossier from `step` 2 on; the receiving and the returning place stay those of the first.
    """

    procedure: str
    named: str | None
    on: date
    dossier_sequence: int
    step: int = 1
    passed_on_to: str | None = None

    def answer(self, centre: Centre, decisions: Decisions) -> AssignmentDecidedV1 | AssignmentWaitingV1:
        """The decision, in the words that travel."""
        decided = decide(centre, decisions, procedure=self.procedure, named=self.named, on=self.on)
        told = as_event(decided, self.dossier_sequence)
        if self.passed_on_to is None or isinstance(told, AssignmentWaitingV1):
            return told
        department = centre.department(self.passed_on_to, self.on)
        name = self.passed_on_to if department is None else department.name_vi
        reason = told.reason.model_copy(update={"text": f"{told.reason.text} Bước {self.step}: {name} giải quyết."})
        passed_on = {"competent_department": self.passed_on_to, "step": self.step, "reason": reason}
        return told.model_copy(update=passed_on)


def question(events: Iterable[AnyEnvelope], centre: Centre) -> Question | None:
    """What one dossier's events of `intake.dossiers.v1`, in sequence order, ask of routing; None before submission.

    The local date is that of the submission for ever; a receipt may name the department that was missing, or another,
    and a further step another one still.
    """
    asked: Question | None = None
    for event in events:
        data = event.data
        if isinstance(data, DossierSubmittedV1):
            asked = Question(data.procedure, data.department, centre.local_date(event.time), event.sequence)
        elif isinstance(data, DossierReceivedV1) and asked is not None:
            asked = Question(data.procedure, data.department, asked.on, event.sequence)
        elif isinstance(data, DossierStepBegunV1) and asked is not None:
            asked = replace(asked, dossier_sequence=event.sequence, step=data.step, passed_on_to=data.department)
    return asked


def decide_again(
    events: Iterable[AnyEnvelope], centre: Centre, decisions: Decisions
) -> AssignmentDecidedV1 | AssignmentWaitingV1 | None:
    """The assignment that follows from one dossier's events, in sequence order, under this configuration and these
    decisions about the general counter.

    None before its submission. Pure. Equal to routing's last event about the dossier (its `dossier_sequence` aside,
    which names the event that moved it) wherever that was decided under the same `catalogue_version`, or under one
    with the same rows for the date of submission.
    """
    asked = question(events, centre)
    return None if asked is None else asked.answer(centre, decisions)


def as_event(decided: Assigned | Waiting, dossier_sequence: int) -> AssignmentDecidedV1 | AssignmentWaitingV1:
    """The decision as the event that tells it."""
    reason = AssignmentReason(
        rule=decided.reason.rule,
        decision=decided.reason.decision,
        in_force_from=decided.reason.in_force_from,
        text=decided.reason.text,
        figures=tuple(
            WeekFigure(week=week.start, dossiers=week.dossiers, working_days=week.working_days)
            for week in decided.reason.weeks
        ),
    )
    if isinstance(decided, Waiting):
        return AssignmentWaitingV1(
            dossier_sequence=dossier_sequence,
            procedure=decided.procedure,
            waiting_for=decided.waiting_for,
            reason=reason,
        )
    return AssignmentDecidedV1(
        dossier_sequence=dossier_sequence,
        procedure=decided.procedure,
        local_date=decided.local_date,
        receiving_place=ReceivingPlace(
            kind=decided.receiving,
            department=decided.department if decided.receiving == "department" else None,
            counters=decided.counters,
        ),
        competent_department=decided.department,
        returning_place=decided.returning_place,
        reason=reason,
    )
