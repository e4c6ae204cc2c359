"""The dossiers that the owner of an API key may see: the one rule for the reads of every service."""

from dataclasses import dataclass
from datetime import date

from shared.contracts.envelope import Actor
from shared.kernel.centre import Centre
from shared.kernel.errors import FieldError, ForbiddenError
from shared.kernel.vocabulary import Role

_EVERY_DEPARTMENT: frozenset[Role] = frozenset({"leader", "ops", "auditor", "service"})


@dataclass(frozen=True, slots=True)
class Scope:
    """The dossiers that `actor` may see. `on` is the local date for which the actor's counter is looked up.

    An officer sees the dossiers of the officer's department. A clerk at a department's counter sees those of that
    department, and those whose competent department is unknown; at any other counter (general, guidance, fees,
    results), or if `clerks_see_every_department`, every dossier. An applicant sees the dossiers that the applicant
    submitted. Leaders, auditors, operators and services see every dossier; personal data has a separate rule. An
    importer sees no dossier.
    """

    actor: Actor
    centre: Centre
    on: date
    clerks_see_every_department: bool = False

    def sees(self, *, department: str | None, submitted_by: str | None = None) -> bool:
        """Whether the actor may see a dossier.

        `department` is the dossier's competent department, None while unknown; `submitted_by` is the account that
        submitted it.
        """
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
        """Return the department to which a list must be limited; None for no limit.

        For an officer, it is the officer's own; for every other role, it is the `requested` one. Raises ForbiddenError
        if an officer requests another department.
        """
        if self.actor.role != "officer":
            return requested
        if requested not in (None, self.actor.department):
            detail = f"An officer of {self.actor.department} sees only the dossiers of {self.actor.department}."
            raise ForbiddenError(detail, errors=[FieldError("/query/department", detail)])
        return self.actor.department
