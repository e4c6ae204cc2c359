"""Hand-over of papers from a counter to the competent department."""

from datetime import date

from services.intake.domain.dossier import Dossier
from services.intake.domain.life_cycle import FINAL
from shared.kernel.centre import Centre


def is_own_counter(centre: Centre, counter: int | None, department: str | None, on: date) -> bool:
    """Return whether the counter belongs to the department on a local date; False if counter or department is None.

    At such a counter the department's officer takes the papers without a hand-over.
    """
    found = None if counter is None else centre.counter(counter, on)
    return found is not None and found.department is not None and found.department == department


def reason_against_hand_over(dossier: Dossier, *, department: str, counter: int) -> str | None:
    """Return why a dossier's papers cannot go in a batch from `counter` to `department`, or None if they can."""
    if dossier.state in FINAL:
        return f"The dossier is {dossier.state}, so no papers are handed over."
    if dossier.received_at is None:
        return "The dossier is not received yet."
    if dossier.department != department:
        return f"The competent department is {dossier.department}, not {department}."
    if dossier.papers_waiting_since is not None:
        if dossier.papers_counter in (None, counter):
            return None
        return f"The papers are at counter {dossier.papers_counter}, whose clerk hands them over."
    if dossier.papers_sent_sequence:
        return "The department already has the papers; none came since."
    return "The dossier has no papers at a counter."
