"""Failures of routing's rules: one class a failure, whose docstring is the message."""

from shared.kernel.errors import MotcuaError, Refusal


class DecisionConflictError(Refusal):
    """Decision {decision} about {department} already takes effect on {effective_from}. Choose a later date."""


class SubmissionMissingError(MotcuaError):
    """An event of a dossier whose submission never took effect in routing, so the date of submission is unknown.

    Not a refusal: the record of the event is parked. It happens after an operator discarded the record of the
    submission.
    """
