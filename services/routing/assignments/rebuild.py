"""Rebuild an assignment from intake's events, the configuration and the signed decisions, for `motcua verify`."""

from collections.abc import Iterable

from services.routing.assignments.handlers import record_event, to_event
from services.routing.domain.assignment import Assignment
from services.routing.domain.decisions import Decisions
from shared.contracts.assignments import AssignmentDecidedV1, AssignmentWaitingV1
from shared.contracts.envelope import AnyEnvelope
from shared.kernel.centre import Centre


def rebuild_assignment(
    events: Iterable[AnyEnvelope], centre: Centre, decisions: Decisions
) -> AssignmentDecidedV1 | AssignmentWaitingV1 | None:
    """Return the event data that follows from one dossier's `events` of intake, in order of sequence.

    None if the submission is not among the events. The result equals the data of routing's last event about the
    dossier, except for `dossier_sequence`, if routing decided with the same catalogue, or with one that has the same
    rows for the date of submission.
    """
    assignment = Assignment()
    for event in events:
        record_event(assignment, event)
    if assignment.submitted_at is None:
        return None
    return to_event(assignment.decide(centre, decisions), assignment.dossier_sequence)
