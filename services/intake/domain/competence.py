"""Which department is competent for a submission, at a receipt and for a step."""

from collections.abc import Collection, Sequence

from services.intake.domain.errors import DepartmentRequiredError, LastStepError


def competent_department(
    named: str | None, *, procedure: str, by_catalogue: Sequence[str] | None, departments: Collection[str]
) -> str | None:
    """Return the competent department of a submission, or None if it is not known yet.

    `named` is the department in the request. `by_catalogue` are the procedure's departments, None for an unknown
    procedure; `departments` are all departments of the centre. For an unknown procedure, the result is `named`. Raises
    DepartmentRequiredError if several are competent and none is named, or if the named one is not competent or does not
    exist.
    """
    if named is not None and named not in departments:
        raise _refusal(f"The centre has no department {named!r}.", sorted(departments))
    if by_catalogue is None:
        return named
    if named is None:
        if len(by_catalogue) > 1:
            raise _refusal(f"Several departments are competent for {procedure}. Name one.", by_catalogue)
        return by_catalogue[0]
    if named not in by_catalogue:
        raise _refusal(f"The department {named} is not competent for {procedure}.", by_catalogue)
    return named


def department_of_receipt(named: str | None, *, known: str | None, departments: Collection[str]) -> str:
    """Return the competent department at receipt; the dossier code begins with its agency id.

    `named` is the department in the request, `known` the dossier's, and `departments` are all departments of the
    centre. If `known` is None or not among `departments` any more, the request must name one. Raises
    DepartmentRequiredError if it does not, or if the named department does not exist or differs from `known`.
    """
    if named is not None and named not in departments:
        raise _refusal(f"The centre has no department {named!r}.", sorted(departments))
    if known is None or known not in departments:
        if named is None:
            cause = (
                "The procedure is unknown" if known is None else f"The department {known} does not exist on that day"
            )
            raise _refusal(f"{cause}. Name the competent department.", sorted(departments))
        return named
    if named not in (None, known):
        raise _refusal(f"The competent department is {known}, not {named}.", [known])
    return known


def department_of_step(
    named: str | None, *, number: int, by_catalogue: Sequence[str], current: str, departments: Collection[str]
) -> str:
    """Return the department of step `number`, which follows the step of the department `current`.

    `named` is the department in the request; `by_catalogue` are the departments of the procedure's steps in order. The
    request must name a department if `by_catalogue` is empty, or if the department by the catalogue is not among
    `departments` (all of the centre) any more or is already `current`. Raises LastStepError if there is no such step,
    and DepartmentRequiredError if a needed department is not named or the named one is wrong.
    """
    cause = "The catalogue has no steps of the procedure"
    if by_catalogue:
        if number > len(by_catalogue):
            raise LastStepError(step=number - 1)
        following = by_catalogue[number - 1]
        if following in departments and following != current:
            if named not in (None, following):
                raise _refusal(f"Step {number} belongs to {following}, not to {named}.", [following])
            return following
        ended = following not in departments
        cause = (
            f"The department {following} does not exist on that day"
            if ended
            else f"The department {following} already has the dossier"
        )
    others = sorted(set(departments) - {current})
    if named is None:
        raise _refusal(f"{cause}. Name the department of the next step.", others)
    if named not in departments:
        raise _refusal(f"The department {named} does not exist on that day.", others)
    if named == current:
        raise _refusal(f"The department {named} already has the dossier.", others)
    return named


def _refusal(detail: str, allowed: Sequence[str]) -> DepartmentRequiredError:
    return DepartmentRequiredError(detail, allowed=allowed, pointer="/data/department")
