"""Which dossiers the owner of an API key may see: the one rule for the reads of every service."""

from dataclasses import dataclass
from datetime import date

from shared.contracts.envelope import Actor, Role
from shared.kernel.centre import Centre
from shared.kernel.errors import FieldError, ForbiddenError

_EVERY_DEPARTMENT: frozenset[Role] = frozenset({"leader", "ops", "auditor", "service"})


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope of one actor at a local date, by which counters are looked up.

    An officer sees the own department's dossiers. A clerk sees those of the own counter's department, and every
    department's at a counter that serves all (general, guidance, fees, results). An applicant sees the own submissions.
    Leaders, auditors, operators and services see every dossier; personal data is a separate rule. An importer reads
    nothing. `clerks_see_every_department` widens a clerk's scope to every counter's dossiers.
    """

    actor: Actor
    centre: Centre
    on: date
    clerks_see_every_department: bool = False

    def sees(self, *, department: str | None, submitted_by: str | None = None) -> bool:
        """Whether a dossier is in scope: `department` is the competent one, None while none is known."""
        actor = self.actor
        if actor.role in _EVERY_DEPARTMENT:
            return True
        if actor.role == "officer":
            return department is not None and actor.department == department
        if actor.role == "applicant":
            return submitted_by is not None and submitted_by == actor.id
        return actor.role == "clerk" and (self.clerks_see_every_department or self._counter_serves(department))

    def _counter_serves(self, department: str | None) -> bool:
        if self.actor.counter is None:
            return False
        counter = self.centre.counter(self.actor.counter, self.on)
        return counter is not None and (department is None or counter.department in (None, department))

    def department(self, requested: str | None) -> str | None:
        """The department to which a list is limited: an officer's own, otherwise the requested one; None is all.

        Raises ForbiddenError if an officer requests another department.
        """
        if self.actor.role != "officer":
            return requested
        if requested not in (None, self.actor.department):
            detail = f"An officer of {self.actor.department} sees only the dossiers of {self.actor.department}."
            raise ForbiddenError(detail, errors=[FieldError("/query/department", detail)])
        return self.actor.department
