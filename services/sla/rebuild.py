"""Rebuild of a deadline from intake's events, and the effect of each event type on the clock."""

from collections.abc import Iterable

from services.sla.domain.calendar import Calendar
from services.sla.domain.clock import ChangeKind, ClockChange, Deadline, Ground, derive_by_catalogue
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

CLOCK_CHANGES: dict[type[EventData], tuple[ChangeKind, Ground | None]] = {
    DossierReceivedV1: ("received", None),
    DossierSupplementRequiredV1: ("paused", "supplement"),
    DossierSupplementReceivedV1: ("resumed", None),
    DossierPaymentRequiredV1: ("paused", "payment"),
    DossierPaidV1: ("resumed", None),
    DossierExtendedV1: ("extended", None),
    DossierStepBegunV1: ("step_begun", None),
    DossierSettledV1: ("settled", None),
    DossierReopenedV1: ("reopened", None),
    DossierWithdrawnV1: ("withdrawn", None),
    DossierStoppedV1: ("stopped", None),
}
"""The change that each event makes to the clock. Before the receipt there is no clock and they have no effect."""


def clock_change(event: AnyEnvelope) -> ClockChange | None:
    """Return the change that an event of intake makes to the clock; None for an event that does not change it."""
    found = CLOCK_CHANGES.get(type(event.data))
    if found is None:
        return None
    kind, ground = found
    data = event.data
    return ClockChange(
        kind,
        event.time,
        event.recordedtime,
        ground,
        working_days=data.working_days if isinstance(data, DossierExtendedV1) else None,
        to_date=data.to_date if isinstance(data, DossierExtendedV1) else None,
        step=data.step if isinstance(data, DossierStepBegunV1) else None,
    )


def rebuild_deadline(events: Iterable[AnyEnvelope], centre: Centre, calendar: Calendar) -> Deadline | None:
    """Derive the deadline of one dossier from its events on `intake.dossiers.v1`, in sequence order.

    None if the dossier is not received. Raises ClockError for events that contradict each other.
    """
    procedure: str | None = None
    changes: list[ClockChange] = []
    for event in events:
        if isinstance(event.data, DossierReceivedV1):
            procedure = event.data.procedure
        change = clock_change(event)
        if change is not None and procedure is not None:
            changes.append(change)
    return None if procedure is None else derive_by_catalogue(procedure, changes, centre, calendar)
