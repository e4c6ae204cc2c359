"""Whether a dossier was received at another counter than routing's rule names. An event, never a refusal."""

from services.intake.tables import DossierRow
from shared.contracts.dossiers import DossierReceivedElsewhereV1


def received_elsewhere(row: DossierRow) -> DossierReceivedElsewhereV1 | None:
    """The event, once receipt and assignment are both known; whichever comes second asks.

    None where the counter is one of the rule's, where the rule names no counter, and for what came online or by post:
    some clerk takes that in, too, but no applicant stood at that counter.
    """
    if row.received_at is None or row.state is None or row.counter is None or row.assignment is None:
        return None
    if row.channel != "counter":
        return None
    counters = row.assignment.get("counters") or []
    if not counters or row.counter in counters:
        return None
    place = row.assignment.get("receiving_department") or "general"
    return DossierReceivedElsewhereV1(state=row.state, counter=row.counter, receiving_place=place)
