"""Refusals of intake, one class per failure.

The docstring is the message to the client; `shared.service.problems` has the status.
"""

from shared.kernel.errors import MotcuaError, Refusal


class BrokenHistoryError(MotcuaError):
    """The events of a dossier contradict the life cycle. Found by a rebuild; no request causes it."""


class ActNotAllowedError(Refusal):
    """The dossier is {state}, which does not allow {act}. {remedy}"""

    MEMBERS = ("state",)


class ActorDiffersError(Refusal):
    """The actor of an act is the API key's own, and the named actor differs in {members}. Omit `actor`."""


class AmbiguousCodeError(Refusal):
    """Several systems use this code for different dossiers. Name the system."""


class BatchNotFoundError(Refusal):
    """Hand-over batch not found, or outside the scope of this API key."""


class DepartmentRequiredError(Refusal):
    """The department is missing or not possible."""


class DossierExistsError(Refusal):
    """The dossier is already submitted. Its state is {state}."""


class DueDateNotAvailableError(Refusal):
    """The current due date is not available yet. Retry in a moment with the same Idempotency-Key."""


class EarlierLineFailedError(Refusal):
    """An earlier line of the same dossier failed in this request."""


class ExtensionDateError(Refusal):
    """The due date cannot be extended to this date."""


class ExtensionQuotaError(Refusal):
    """The due date has been extended {made} of at most {max_extensions} times."""

    MEMBERS = ("max_extensions",)


class ExtensionTooLateError(Refusal):
    """The dossier was due at {due_at}. An extension at {at} is too late."""

    MEMBERS = ("due_at",)


class ForeignCodeTakenError(Refusal):
    """Another dossier already has the code {code} of the system {system}."""


class HandOverRefusedError(Refusal):
    """{refused} of {total} dossiers cannot be handed over, so none was. See errors."""


class InternalError(Refusal):
    """An unexpected error in the service. Send these lines again with the same keys."""


class InvalidCodeError(Refusal):
    """{text!r} is not a dossier code such as H10.18-170428-0001."""


class InvalidContactError(Refusal):
    """The phone number or e-mail address is invalid."""


class LastStepError(Refusal):
    """Step {step} is the procedure's last step. Settle or stop the dossier."""


class NoDueDateError(Refusal):
    """There is no due date to extend: {reason}."""


class NotCompetentError(Refusal):
    """The act {act} is reserved for the dossier's competent department."""


class NotOwnCounterError(Refusal):
    """This API key acts at counter {own}, not at counter {named}."""


class NotYoursError(Refusal):
    """An applicant's API key acts only on its own submissions."""


class OccurredBeforePreviousError(Refusal):
    """{occurred_at} is before the dossier's previous act at {previous}."""


class OccurredInFutureError(Refusal):
    """{occurred_at} is in the future. This centre accepts acts until {limit}."""


class OccurredTooLongAgoError(Refusal):
    """{occurred_at} is more than {hours:g} working hours ago."""


class PapersMissingError(Refusal):
    """Mandatory papers are missing: {names}. Ask for them (form 02), or receive with a missing_papers_reason."""

    MEMBERS = ("missing",)


class TooLargeError(Refusal):
    """The line is larger than {limit} bytes. Split the request."""


class UnavailableError(Refusal):
    """The database is not available, and nothing was stored. Send these lines again with the same keys."""


class UnknownActError(Refusal):
    """The act {act!r} does not exist."""


class UnknownRequirementError(Refusal):
    """The procedure has no requirement {requirement!r}."""
