"""From intake's events to a deadline: used by the handlers, and by whoever wants to derive a due date again."""

from collections.abc import Iterable

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import ClockChange, Deadline, Ground, What, derive_by_catalogue
from shared.contracts.dossiers import (
    DossierExtendedV1,
    DossierPaidV1,
    DossierPaymentRequiredV1,
    DossierReceivedV1,
    DossierReopenedV1,
    DossierSettledV1,
    DossierStepBegunV1,
    DossierStoppedV1,
    DossierSupplementReceivedV1,
    DossierSupplementRequiredV1,
    DossierWithdrawnV1,
)
from shared.contracts.envelope import AnyEnvelope, EventData
from shared.kernel.centre import Centre

CLOCK_CHANGES: dict[type[EventData], tuple[What, Ground | None]] = {
    DossierReceivedV1: ("received", None),
    DossierSupplementRequiredV1: ("paused", "supplement"),
    DossierSupplementReceivedV1: ("resumed", None),
    DossierPaymentRequiredV1: ("paused", "payment"),
    DossierPaidV1: ("resumed", None),
    DossierExtendedV1: ("extended", None),
    DossierStepBegunV1: ("passed_on", None),
    DossierSettledV1: ("settled", None),
    DossierReopenedV1: ("reopened", None),
    DossierWithdrawnV1: ("withdrawn", None),
    DossierStoppedV1: ("stopped", None),
}
"""What each act does to the clock; before the receipt there is none, so there they do nothing."""


def clock_change(event: AnyEnvelope) -> ClockChange | None:
    """What an event of intake does to a clock; None if nothing."""
    found = CLOCK_CHANGES.get(type(event.data))
    if found is None:
        return None
    what, ground = found
    data = event.data
    return ClockChange(
        what,
        event.time,
        event.recordedtime,
        ground,
        working_days=data.working_days if isinstance(data, DossierExtendedV1) else None,
        to_date=data.to_date if isinstance(data, DossierExtendedV1) else None,
        step=data.step if isinstance(data, DossierStepBegunV1) else None,
    )


def derive(events: Iterable[AnyEnvelope], centre: Centre, calendar: Calendar) -> Deadline | None:
    """The deadline that follows from one dossier's events on `intake.dossiers.v1`, in sequence order.

    None while it was not received, for then it has no clock. Raises ClockError for events that contradict each other.
    """
    procedure: str | None = None
    course: list[ClockChange] = []
    for event in events:
        if isinstance(event.data, DossierReceivedV1):
            procedure = event.data.procedure
        step = clock_change(event)
        if step is not None and procedure is not None:
            course.append(step)
    return None if procedure is None else derive_by_catalogue(procedure, course, centre, calendar)
