"""Who sees which dossiers here: a department its own, a counter those that it receives."""

from datetime import date

from shared.contracts.envelope import Role
from shared.kernel.centre import Centre
from shared.kernel.errors import ExpectedError
from shared.service.keys import Principal

STAFF: tuple[Role, ...] = ("clerk", "leader", "ops", "auditor", "service")
"""Who may read what waits: it belongs to no department yet. Nothing in it is personal data."""

_EVERY_DEPARTMENT: tuple[Role, ...] = ("leader", "ops", "auditor", "service")


def may_read_dossier_of(who: Principal, department: str | None, centre: Centre, on: date) -> bool:
    """Whether the caller may read dossiers of that competent department; None: of those that wait for one.

    An officer reads the own department's. A clerk reads those of the own counter's department; one at a counter that
    serves all (general, guidance, fees, results) reads every department's.
    """
    actor = who.actor
    if actor.role in _EVERY_DEPARTMENT:
        return True
    if actor.role == "officer":
        return department is not None and actor.department == department
    if actor.role != "clerk" or actor.counter is None:
        return False
    counter = centre.counter(actor.counter, on)
    return counter is not None and (department is None or counter.department in (None, department))


def may_read_department(who: Principal, department: str, centre: Centre, on: date) -> None:
    """Raises Refusal (403) for a caller who may not read that department's dossiers."""
    if not may_read_dossier_of(who, department, centre, on):
        raise ExpectedError("forbidden", "this key sees only the dossiers of its own department or counter", status=403)


def own_department(who: Principal, asked: str | None) -> str | None:
    """The department whose volumes and decisions the caller is shown, None for all: an officer the own one's alone.

    Raises Refusal (403) for an officer who asks for another.
    """
    actor = who.actor
    if actor.role != "officer":
        return asked
    if asked not in (None, actor.department):
        raise ExpectedError("forbidden", f"this key sees {actor.department}, its own department, alone", status=403)
    return actor.department
